//! `retry`, `resources` and `timeout`, with defaults and the site's limits.

use super::checker::{Checker, flag, number, text_of, texts};
use super::fit::Amount;
use super::scope::Scope;
use super::types::Type;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::expression::Template;
use crate::resources::{parse_duration_ms, parse_factor, parse_size};
use crate::workflow::{Resources, Retry, RetryCause};

const WAIT_FIRST_MS: u64 = 10_000;
const WAIT_MAX_MS: u64 = 600_000;
const WAIT_FACTOR: f64 = 2.0;
/// Beyond this a retry is no longer a retry.
const ATTEMPTS_MAX: u32 = 100;

/// What holds where no `retry` is written: one attempt.
pub(super) fn no_retry() -> Retry {
    Retry {
        attempts: 1,
        causes: Vec::new(),
        exit_codes: Vec::new(),
        wait_first_ms: WAIT_FIRST_MS,
        wait_factor: WAIT_FACTOR,
        wait_max_ms: WAIT_MAX_MS,
        jitter: true,
        escalate_memory: None,
        escalate_timeout: None,
        escalate_disk: None,
    }
}

impl Checker<'_> {
    /// The retry rule under `node`.
    pub(super) fn retry(&mut self, node: &Node) -> Retry {
        let mut retry = no_retry();
        retry.attempts = number(node, "attempts").unwrap_or(1);
        retry.causes = texts(node, "causes").iter().filter_map(|cause| cause_of(cause)).collect();
        retry.exit_codes = self.exit_codes(node);
        if let Some(wait) = node.get("wait") {
            retry.wait_first_ms = text_of(wait, "first").and_then(parse_duration_ms).unwrap_or(WAIT_FIRST_MS);
            retry.wait_max_ms =
                text_of(wait, "max").and_then(parse_duration_ms).unwrap_or(WAIT_MAX_MS.max(retry.wait_first_ms));
            retry.wait_factor = number(wait, "factor").unwrap_or(WAIT_FACTOR);
            retry.jitter = flag(wait, "jitter", true);
        }
        if let Some(escalate) = node.get("escalate") {
            let factor = |key: &str| text_of(escalate, key).and_then(parse_factor);
            (retry.escalate_memory, retry.escalate_timeout) = (factor("memory"), factor("timeout"));
            retry.escalate_disk = factor("disk");
        }
        self.retry_rules(node, &retry);
        retry
    }

    fn exit_codes(&mut self, node: &Node) -> Vec<i32> {
        let mut codes = Vec::new();
        for item in node.get("exit_codes").map(Node::items).unwrap_or_default() {
            match item.text().and_then(|text| text.parse::<i32>().ok()) {
                Some(code) if (1..=255).contains(&code) => codes.push(code),
                _ => {
                    let (en, ja) =
                        ("an exit code that can be retried is 1 to 255", "再試行できる終了コードは 1〜255 です");
                    self.note(Diagnostic::error("K054", en, ja), item.span.clone());
                }
            }
        }
        codes
    }

    fn retry_rules(&mut self, node: &Node, retry: &Retry) {
        let mut wrong = |bad: bool, key: &str, en: &str, ja: &str| {
            if bad {
                let place = node.entry(key).map_or(node.span.clone(), |entry| entry.key_span.clone());
                self.note(Diagnostic::error("K054", en, ja), place);
            }
        };
        let idle = retry.causes.is_empty() && retry.exit_codes.is_empty();
        wrong(
            node.get("attempts").is_none(),
            "causes",
            "`retry` must say how many `attempts`",
            "`retry` には `attempts` が必要です",
        );
        wrong(retry.attempts > ATTEMPTS_MAX, "attempts", "at most 100 attempts", "試行は 100 回までです");
        wrong(
            retry.attempts > 1 && idle,
            "attempts",
            "no `causes` or `exit_codes`: nothing would be tried again",
            "`causes` も `exit_codes` もないため、再試行は起こりません",
        );
        wrong(retry.wait_factor < 1.0, "wait", "`wait.factor` is at least 1", "`wait.factor` は 1 以上です");
        wrong(
            retry.wait_first_ms > retry.wait_max_ms,
            "wait",
            "`wait.first` is longer than `wait.max`",
            "`wait.first` が `wait.max` より長くなっています",
        );
        let escalations = [
            (
                retry.escalate_memory.is_some(),
                RetryCause::OutOfMemory,
                "`escalate.memory` needs the cause `out_of_memory`",
                "`escalate.memory` には原因 `out_of_memory` が必要です",
            ),
            (
                retry.escalate_timeout.is_some(),
                RetryCause::Timeout,
                "`escalate.timeout` needs the cause `timeout`",
                "`escalate.timeout` には原因 `timeout` が必要です",
            ),
        ];
        for (written, cause, en, ja) in escalations {
            wrong(written && !retry.causes.contains(&cause), "escalate", en, ja);
        }
    }

    /// Whole seconds of `timeout`, within the site's longest.
    pub(super) fn timeout(&mut self, node: Option<&Node>) -> Option<u64> {
        let seconds = self.seconds(node)?;
        let longest = self.site.timeout_s_max;
        if longest > 0 && seconds > longest {
            let found = Diagnostic::error(
                "K053",
                format!("this site allows at most {longest} s"),
                format!("このサイトの上限は {longest} 秒です"),
            );
            self.note(found, node?.span.clone());
        }
        Some(seconds)
    }
}

fn cause_of(text: &str) -> Option<RetryCause> {
    match text {
        "tool" => Some(RetryCause::Tool),
        "out_of_memory" => Some(RetryCause::OutOfMemory),
        "timeout" => Some(RetryCause::Timeout),
        "bad_output" => Some(RetryCause::BadOutput),
        _ => None,
    }
}

impl Scope<'_, '_> {
    /// A step's resources over the defaults, key by key; and those that are plain numbers.
    pub(super) fn resources(&mut self, node: Option<&Node>, defaults: Option<&Node>) -> (Resources, Vec<Amount>) {
        let labels = self.labels(node, defaults);
        let mut amounts = Vec::new();
        let mut written = |key: &'static str, size: bool| {
            let own = node.and_then(|node| node.get(key));
            let value = own.or_else(|| defaults?.get(key))?;
            self.resource(value, key, size, &mut amounts)
        };
        let resources = Resources {
            cpus: written("cpus", false),
            memory: written("memory", true),
            disk: written("disk", true),
            gpus: written("gpus", false),
            labels,
        };
        (resources, amounts)
    }

    fn resource(&mut self, node: &Node, key: &'static str, size: bool, amounts: &mut Vec<Amount>) -> Option<Template> {
        let (template, kind) = self.template(node, false)?;
        let (en, ja) = if size {
            ("a size such as `4 GiB`", "`4 GiB` のような大きさ")
        } else {
            ("a whole number", "整数")
        };
        let Some(text) = template.literal() else {
            let fits = template.single().is_some() && (kind.is_number() || (size && kind == Type::Text));
            if !fits {
                self.mismatch(node, &kind, (en, ja), ("", ""));
            }
            return Some(template);
        };
        let amount = if size { parse_size(text) } else { text.trim().parse::<u64>().ok() };
        match amount {
            Some(0) | None if !(key == "gpus" && amount == Some(0)) => {
                let found = Diagnostic::error(
                    "K014",
                    format!("expected {en}; found `{text}`"),
                    format!("{ja} を書く場所ですが、`{text}` があります"),
                );
                self.checker.note(found, node.span.clone());
            }
            Some(wish) => amounts.push(Amount { key, wish, span: node.span.clone() }),
            None => {}
        }
        Some(template)
    }
}
