//! `approve` and `handoff` steps: who decides, who gets what.

use super::checker::{flag, human, number, owned, text_of, texts};
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::expression::{Expression, Template};
use crate::workflow::{Approve, Handoff};

impl Scope<'_, '_> {
    pub(super) fn approve(&mut self, node: &Node) -> Option<Approve> {
        for role in node.get("roles").map(Node::items).unwrap_or_default() {
            let known = self.checker.site.roles.as_ref().map(std::collections::BTreeSet::iter);
            self.checker.at_site(("person with the role", "役割"), role.text().unwrap_or(""), known, role.span.clone());
        }
        if let Some(roles) = node.get("roles").filter(|roles| roles.items().is_empty() && roles.text().is_none()) {
            let (en, ja) = (
                "nobody could answer: name at least one role",
                "回答できる人がいません。役割を 1 つ以上書いてください",
            );
            self.checker.note(Diagnostic::error("K014", en, ja), roles.span.clone());
        }
        let expires_s = self.checker.seconds(node.get("expires"));
        if let Some(entry) = node.entry("if_expired").filter(|_| node.get("expires").is_none()) {
            let (en, ja) = ("`if_expired` needs `expires`", "`if_expired` には `expires` が必要です");
            self.checker.note(
                Diagnostic::error("K011", en, ja).help("write: expires: 7d", "書いてください: expires: 7d"),
                entry.key_span.clone(),
            );
        }
        let items = node.get("show").map(Node::items).unwrap_or_default();
        let show: Vec<Expression> =
            items.iter().filter_map(|item| self.expression(item, false)).map(|(expression, _)| expression).collect();
        (show.len() == items.len()).then_some(Approve {
            roles: texts(node, "roles"),
            count: number(node, "count").unwrap_or(1),
            not_by: texts(node, "not_by"),
            ask: human(node.get("ask"), ""),
            show,
            expires_s,
            fail_if_expired: text_of(node, "if_expired") == Some("fail"),
        })
    }

    pub(super) fn handoff(&mut self, node: &Node) -> Option<Handoff> {
        let to = self.target(node.get("to")?);
        let (files, files_if_made) = (self.files(node, "files", false), self.files(node, "files_if_made", true));
        if node.get("files").is_none() && node.get("files_if_made").is_none() {
            let (en, ja) = ("`files` is missing", "`files` がありません");
            self.checker.note(
                Diagnostic::error("K011", en, ja)
                    .help("write: files: [\"${{ … }}\"]", "書いてください: files: [\"${{ … }}\"]"),
                node.span.start..node.span.start + 1,
            );
        }
        if let Some(encrypt) = node.get("encrypt").filter(|encrypt| encrypt.text() == Some("crypt4gh")) {
            self.encrypts(node.get("to")?, encrypt);
        }
        let receipt = node.entry("receipt").map(|entry| &entry.value);
        let receipt_required = receipt.is_some_and(|receipt| flag(receipt, "required", false));
        let late = receipt.and_then(|receipt| receipt.entry("if_late"));
        let is_due = receipt_required || receipt.is_some_and(|receipt| receipt.get("within").is_some());
        if let Some(entry) = late.filter(|_| !is_due) {
            let (en, ja) = (
                "`if_late` needs a receipt that can be late: `within`, or `required: true`",
                "`if_late` には期限のある受領確認 (`within` か `required: true`) が必要です",
            );
            self.checker.note(
                Diagnostic::error("K011", en, ja).help("write: within: 72h", "書いてください: within: 72h"),
                entry.key_span.clone(),
            );
        }
        let receipt_within_s = receipt.and_then(|receipt| self.checker.seconds(receipt.get("within")));
        Some(Handoff {
            to: to?,
            files: files?,
            files_if_made: files_if_made?,
            encrypt: owned(node, "encrypt"),
            receipt_required,
            receipt_within_s,
            receipt_if_late: receipt.and_then(|receipt| owned(receipt, "if_late")),
        })
    }

    /// A target that has no recipient's key would get plain files.
    fn encrypts(&mut self, to: &Node, encrypt: &Node) {
        let plain = self.checker.site.plain_targets.as_ref();
        let Some(name) = to.text().filter(|name| plain.is_some_and(|plain| plain.contains(*name))) else { return };
        let en = format!("the target `{name}` has no key to encrypt for, and gets no plain files from this step");
        let ja = format!("引き渡し先 `{name}` には暗号化の鍵がなく、このステップは平文を渡しません");
        let found = Diagnostic::error("K091", en, ja).help(
            "give it `encrypt: crypt4gh` and `recipient:` under `targets:` in kentai.yaml, or write `encrypt: none` here",
            "kentai.yaml の `targets:` に `encrypt: crypt4gh` と `recipient:` を書くか、ここに `encrypt: none` と書きます",
        );
        self.checker.note(found, encrypt.span.clone());
    }

    fn target(&mut self, node: &Node) -> Option<Template> {
        let (template, kind) = self.template(node, false)?;
        if !kind.is_text() {
            self.mismatch(node, &kind, ("the name of a target", "引き渡し先の名前"), ("", ""));
        }
        if let Some(name) = template.literal() {
            let known = self.checker.site.targets.as_ref().map(std::collections::BTreeSet::iter);
            self.checker.at_site(("target", "引き渡し先"), name, known, node.span.clone());
        }
        Some(template)
    }

    fn files(&mut self, node: &Node, key: &str, guarded: bool) -> Option<Vec<Template>> {
        let items = node.get(key).map(Node::items).unwrap_or_default();
        let mut files = Vec::new();
        for item in items {
            let Some((template, kind)) = self.template(item, guarded) else { continue };
            if !kind.is_files() {
                self.mismatch(
                    item,
                    &kind,
                    ("a file or a list of files", "ファイルかそのリスト"),
                    ("write: \"${{ steps.X.Y }}\"", "こう書きます: \"${{ steps.X.Y }}\""),
                );
            }
            files.push(template);
        }
        (files.len() == items.len()).then_some(files)
    }
}
