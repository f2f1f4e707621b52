//! Words of what can be done with a delivery, of the copies here, and of reconciliation.

use kentai_engine::decide::retain::Against;
use kentai_engine::view::reconcile::Unlike;

use super::What;
use crate::page::say::Say;
use crate::page::words::bilingual;

bilingual! {
    hand_off: "Hand-off", "引き渡し";
    only: "Only:", "担当：";
    back: "Back to the delivery", "送達へ戻る";
    what_happens: "What will happen", "実行される内容";
    days: "For how many days", "提供日数";
    days_note: "(0: as its target is configured)", "（0：引き渡し先の設定に従う）";
    days_wrong: "Give a whole number of days, 0 to 3,650.", "日数は0〜3650の整数で入力してください。";
    place: "Where the copy lies", "複製の保管場所";
    place_note: "(a shelf, a tape, a bucket)", "（棚、テープ、バケットなど）";
    place_missing: "Say where the copy lies.", "複製の保管場所を入力してください。";
    note: "What else there is to say", "補足";
    moved_on: "It has moved on since you looked: nothing was done. Look at how it stands now, and decide anew.", "表示後に状態が変わったため、何も実行していません。現在の状態を確認して、あらためて判断してください。";
    stands: "Stands at", "現在の状態";
    receiver: "Receiver", "引き渡し先";
    specimen: "Specimen", "検体";
    letter: "Letter", "通知";
    proposed_by: "Proposed by", "提案者";
    not_this_proposal: "This proposal waits no more.", "この提案は確認待ちではありません。";
    // Copies here.
    copies: "Copies here", "センター内の複製";
    copies_may_go: "Nothing stands against it: two people may let them go.", "破棄を妨げるものはありません。2人の確認で破棄できます。";
    copies_stay: "They stay:", "破棄できない理由：";
    copies_gone: "They are gone.", "破棄済みです。";
    copies_going: "They are being destroyed; the signed certificate follows.", "破棄を実行中です。完了後に署名付き証明書が残ります。";
    archives: "Copies in archives", "アーカイブの複製";
    by: "By", "記録者";
    at: "At", "日時";
    file: "File", "ファイル";
    fate: "Here", "センター内";
    how: "How", "方法";
    confirmed_by: "Confirmed by", "確認者";
    certificate: "Certificate", "証明書";
    waits: "waits for the second person", "2人目の確認待ち";
    // Letters.
    letters: "Letters about it", "この送達に関する通知";
    no_letters: "No letter was written about it. Name its receiver under notices: in kentai.yaml, and every change is told.", "この送達に関する通知はありません。kentai.yaml の notices: に引き渡し先を登録すると、変更のたびに通知されます。";
    // Reconciliation.
    reconciliation: "Reconciliation", "照合";
    reconcile_lead: "What a receiver says that it has, held against what was sent and what it acknowledged. Nothing is changed.", "引き渡し先の保有リストを、送付内容および受領確認と照合します。記録は変更しません。";
    target: "Receiver", "引き渡し先";
    counted: "What we believe", "センターの記録";
    counted_note: "deliveries by state; each number leads to its list", "状態別の送達数";
    nothing_sent: "Nothing was handed off to it yet.", "まだ引き渡しはありません。";
    oldest: "oldest without a receipt", "最長の未確認";
    list: "Their list", "引き渡し先のリスト";
    list_note: "CSV with the columns delivery, path and sha256, as the receiver has them", "列 delivery, path, sha256 を含むCSV";
    list_missing: "Paste the receiver's list: a header and its rows.", "引き渡し先のリスト（見出し行とデータ行）を貼り付けてください。";
    target_missing: "Choose one of the site's targets.", "引き渡し先を選んでください。";
    compare: "Compare", "照合する";
    differences: "Differences", "相違";
    agree: "They have what they acknowledged, and nothing else.", "受領確認済みのファイルと保有リストは一致しています。";
    difference: "Difference", "相違の内容";
    delivery: "Delivery", "送達";
    no_targets: "This site hands off to nobody yet. Targets are named in kentai.yaml.", "引き渡し先がありません。引き渡し先は kentai.yaml で指定します。";
}

impl Words {
    /// What an act is called.
    pub(crate) fn name(&self, what: What) -> &'static str {
        let (en, ja) = match what {
            What::Recall => ("Call back", "回収する"),
            What::Reoffer => ("Offer again", "再提供する"),
            What::Archived => ("Record an archive copy", "アーカイブの複製を記録する"),
            What::Retire => ("Let the copies here go", "センター内の複製の破棄を提案する"),
            What::Confirm => ("Confirm", "確認する"),
            What::Ask => ("Ask again", "再照会する"),
        };
        self.pick(en, ja)
    }

    /// The second person's button.
    pub(crate) fn confirm(&self) -> &'static str {
        self.name(What::Confirm)
    }

    /// What an act does.
    pub(crate) fn says(&self, what: What, target: &str) -> String {
        match what {
            What::Recall => self.pick(
                format!("Nothing more of it is sent, letters that wait are not sent, and {target} reads your reason. What {target} has already is theirs: whether they destroy it is for them to say."),
                format!("以後の送信と未送信の通知を止め、理由は{target}に伝わります。{target}がすでに取得したファイルは{target}の管理下にあり、破棄の報告は{target}から届きます。"),
            ),
            What::Reoffer => self.pick(
                format!("{target} may fetch it once more. Files that they accepted stay accepted; a receipt is due as long after this as after the first offer."),
                format!("{target}がもう一度取得できるようになります。受領済みのファイルはそのまま残り、受領確認の期限は初回と同じ長さで改めて始まります。"),
            ),
            What::Archived => self.pick(
                "It is kept with your name that a copy of what was delivered lies there. It counts when copies here are to go.".to_owned(),
                "引き渡した内容の複製がその場所にあることを、名前とともに記録します。センター内の複製を破棄できるかの判断に使われます。".to_owned(),
            ),
            What::Retire => self.pick(
                "You propose it, another person confirms within 7 days. Then the files are destroyed here, everything is looked at again before, and a signed certificate stays.".to_owned(),
                "提案から7日以内に別の人が確認すると、条件を再確認したうえでセンター内のファイルを破棄します。署名付きの証明書が残ります。".to_owned(),
            ),
            What::Confirm => self.pick(
                "You are the second person. Everything is looked at again, the delivery is retired, and the files are destroyed at once. It cannot be taken back.".to_owned(),
                "2人目の確認です。条件を再確認したうえで、ただちにファイルを破棄します。取り消しはできません。".to_owned(),
            ),
            What::Ask => self.pick(
                format!("The letter goes to {target} again, under the same id: to everybody who subscribes now."),
                format!("同じ番号の通知を、現在登録されている{target}の宛先すべてにもう一度送ります。"),
            ),
        }
    }

    /// Nobody subscribes to what a receiver is asked: it is taken there by hand.
    pub(crate) fn by_hand(&self, to: &str, notice: &str) -> String {
        self.pick(
            format!("Nobody subscribes to notices for {to}: ask by taking notices/{notice}.json there, or name somebody under `notices:` in kentai.yaml. Offered again, it may be answered for as long again."),
            format!("{to}への通知先がありません。notices/{notice}.json を直接届けて照会するか、kentai.yaml の notices: に通知先を指定してください。再提供すると、回答期限が改めて設定されます。"),
        )
    }

    /// What stands against the end of the copies here.
    pub(crate) fn against(&self, one: &Against, say: &Say) -> String {
        let ja = match one {
            Against::NoRule { target } => {
                format!("{target}は保管期限なし（kentai.yaml の引き渡し先に retain: がありません）")
            }
            Against::Retired => "すでに破棄済み".to_owned(),
            Against::Stands(status) => {
                let state = super::super::shown(status.word(), self.language).word;
                format!("現在の状態：{state}")
            }
            Against::NotAcknowledged { accepted, files } => format!("受領確認は{files}件中{accepted}件"),
            Against::Mismatched(paths) => format!("引き渡し先のデータが送付内容と異なる：{}", paths.join("、")),
            Against::NoReceipt => "受領書がない".to_owned(),
            Against::NotYet { until_us } => {
                format!("受領確認後の保管期間中（{}まで）", say.date_time(&say.stamp(*until_us)))
            }
            Against::Copies { known, wanted } => format!("ほかの場所の複製は{wanted}件必要（現在{known}件）"),
            Against::Held(said) => format!("保留中：{said}"),
            Against::Withdrawn(said) => format!("同意撤回：{}", say.engine(said)),
            Against::Disputed(said) => format!("未解決の逸脱：{said}"),
            Against::Used(said) => format!("ほかで使用中：{said}"),
        };
        match one {
            Against::NotYet { until_us } => {
                self.pick(format!("it is kept until {} after its receipt", say.date_time(&say.stamp(*until_us))), ja)
            }
            one => self.pick(one.to_string(), ja),
        }
    }

    /// What becomes, or became, of a file.
    pub(crate) fn fate(&self, word: &str) -> String {
        let (en, ja) = match word {
            "destroyed" => ("Destroyed", "破棄"),
            "encrypted_form_destroyed" => ("Encrypted form destroyed", "暗号化形式のみ破棄"),
            "kept" => ("Kept", "保管"),
            other => return other.to_owned(),
        };
        self.pick(en, ja).to_owned()
    }

    /// How two lists differ.
    pub(crate) fn unlike(&self, what: Unlike) -> &'static str {
        let ja = match what {
            Unlike::NotSent => "保有しているが、センターは送付していない",
            Unlike::OtherBytes => "送付した内容と異なる",
            Unlike::NotAcknowledged => "保有しているが、受領確認がない",
            Unlike::NotThere => "受領確認済みだが、保有していない",
        };
        self.pick(what.said(), ja)
    }

    /// Of how many rows and files.
    pub(crate) fn compared(&self, rows: &str, files: &str) -> String {
        self.pick(
            format!("{rows} rows of their list against {files} files that were sent"),
            format!("リスト{rows}行・送付ファイル{files}件"),
        )
    }

    /// That only the newest deliveries were looked at.
    pub(crate) fn newest_only(&self, most: &str) -> String {
        self.pick(
            format!("Of deliveries older than the newest {most} only those of the list were looked at. `kentai handoff reconcile` looks at all of them."),
            format!("最新{most}件より古い送達は、リストにあるものだけを照合しました。全件の照合は `kentai handoff reconcile` で行います。"),
        )
    }

    pub(crate) fn bad_row(&self, line: &str) -> String {
        self.pick(
            format!("Line {line} cannot be read: it needs the columns delivery, path and sha256."),
            format!("{line}行目を読み取れません。列 delivery, path, sha256 が必要です。"),
        )
    }
}
