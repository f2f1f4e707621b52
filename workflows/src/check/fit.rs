//! Which executors of the site could run a tool step: its labels, and what it asks for. It does not know which are free, or away.

use std::collections::BTreeSet;
use std::ops::Range;

use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::resources::format_size;
use crate::site::Executor;

/// Something that a step asks for, in plain numbers.
pub(super) struct Amount {
    pub(super) key: &'static str,
    pub(super) wish: u64,
    pub(super) span: Range<usize>,
}

/// What an executor can ever give of something; zero: whatever is asked.
fn most(executor: &Executor, key: &str) -> u64 {
    match key {
        "cpus" => executor.cpus.into(),
        "memory" => executor.memory_bytes,
        "disk" => executor.disk_bytes,
        _ => 0,
    }
}

fn enough(most: u64, wish: u64) -> bool {
    most == 0 || wish <= most
}

fn shown(key: &str, amount: u64) -> String {
    if key == "cpus" { amount.to_string() } else { format_size(amount) }
}

impl Scope<'_, '_> {
    /// Labels of a step, or of the defaults when it writes none. An empty list asks for none.
    pub(super) fn labels(&mut self, node: Option<&Node>, defaults: Option<&Node>) -> Vec<String> {
        let Some(place) = [node, defaults].into_iter().flatten().find_map(|node| node.get("labels")) else {
            return Vec::new();
        };
        let labels: Vec<String> = place.items().iter().filter_map(Node::text).map(str::to_owned).collect();
        let Some(executors) = self.checker.site.executors.as_ref() else { return labels };
        if executors.iter().any(|executor| executor.takes(&labels)) {
            return labels;
        }
        let known: BTreeSet<String> = executors.iter().flat_map(|executor| executor.labels.clone()).collect();
        let mut all_known = true;
        for item in place.items() {
            let Some(label) = item.text() else { continue };
            all_known &= known.contains(label);
            self.checker.at_site(("label", "ラベル"), label, Some(known.iter()), item.span.clone());
        }
        if all_known {
            let listed: Vec<String> = executors.iter().map(described).collect();
            let listed = listed.join("; ");
            let found = if labels.is_empty() {
                Diagnostic::error(
                    "K056",
                    "every executor of this site takes only steps that ask for labels",
                    "このサイトの実行環境はすべて、ラベルを指定したステップだけを受け付けます",
                )
            } else {
                Diagnostic::error(
                    "K056",
                    "no executor of this site has all of these labels",
                    "これらのラベルをすべて持つ実行環境はこのサイトにありません",
                )
            };
            let found = found.help(format!("it has: {listed}"), format!("あるもの: {listed}"));
            self.checker.note(found, place.span.clone());
        }
        labels
    }

    /// May a step with these labels do without an image? Where plain processes take it because it asks for them by label.
    pub(super) fn image_optional(&self, labels: &[String]) -> bool {
        let site = self.checker.site;
        let plain = |executor: &Executor| !executor.images && executor.takes(labels);
        site.images_ignored || (!labels.is_empty() && site.executors.as_ref().is_some_and(|all| all.iter().any(plain)))
    }

    /// Refuses what fits no executor, and says where it would lack what.
    pub(super) fn fits_somewhere(&mut self, amounts: &[Amount], labels: &[String], image: bool, place: Range<usize>) {
        let site = self.checker.site;
        let image = image && !site.images_ignored;
        // A site that names no executors has its limits for all of them.
        let whole = [Executor {
            cpus: site.cpus,
            memory_bytes: site.memory_bytes,
            disk_bytes: site.disk_bytes,
            all: true,
            images: image,
            ..Executor::default()
        }];
        let executors: Vec<&Executor> = site
            .executors
            .as_deref()
            .unwrap_or(&whole)
            .iter()
            .filter(|executor| executor.takes(labels) && executor.images == image)
            .collect();
        if executors.is_empty() {
            // Labels that nobody has are said already; here they are had, by executors of the other sort.
            let sort = |all: &Vec<Executor>| {
                all.iter().any(|executor| executor.takes(labels)) && all.iter().any(|executor| executor.images == image)
            };
            // A site that has none of that sort at all says so where it matters: to whoever locks or runs.
            if site.executors.as_ref().is_some_and(sort) {
                self.other_sort(image, place);
            }
            return;
        }
        if executors.iter().any(|one| amounts.iter().all(|amount| enough(most(one, amount.key), amount.wish))) {
            return;
        }
        let mut said = false;
        for amount in amounts {
            if executors.iter().any(|one| enough(most(one, amount.key), amount.wish)) {
                continue;
            }
            let key = amount.key;
            let best = executors.iter().map(|one| most(one, key)).max().unwrap_or(0);
            let best = shown(key, best);
            let mut found = Diagnostic::error(
                "K052",
                format!("this site has at most {best} of `{key}` for one step; it could never run"),
                format!("このサイトで 1 ステップが使える `{key}` は {best} までです。このままでは実行できません"),
            );
            if executors.len() > 1 {
                let each: Vec<String> =
                    executors.iter().map(|one| format!("{} {}", one.name, shown(key, most(one, key)))).collect();
                found = found.help(each.join(", "), each.join("、"));
            }
            self.checker.note(found, amount.span.clone());
            said = true;
        }
        if !said {
            let each: Vec<String> = executors.iter().map(|one| lacking(one, amounts)).collect();
            let found = Diagnostic::error(
                "K052",
                "no executor of this site has all of this for one step; it could never run",
                "これをすべて 1 ステップに与えられる実行環境がこのサイトにありません。このままでは実行できません",
            )
            .help(each.join("; "), each.join("、"));
            self.checker.note(found, place);
        }
    }

    fn other_sort(&mut self, image: bool, place: Range<usize>) {
        let (en, ja) = if image {
            ("no executor with these labels runs images", "これらのラベルを持つ実行環境は、イメージを実行できません")
        } else {
            (
                "every executor with these labels runs images, and this step names none",
                "これらのラベルを持つ実行環境にはイメージが必要です",
            )
        };
        let found = Diagnostic::error("K056", en, ja)
            .help("give the labels to another executor in kentai.yaml", "kentai.yaml で別の実行環境にラベルを付けます");
        self.checker.note(found, place);
    }
}

/// `here: large, fast`
fn described(executor: &Executor) -> String {
    let labels: Vec<&str> = executor.labels.iter().map(String::as_str).collect();
    let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(", ") };
    format!("{}: {labels}", executor.name)
}

/// `here: cpus 14`
fn lacking(executor: &Executor, amounts: &[Amount]) -> String {
    let lacking: Vec<String> = amounts
        .iter()
        .filter(|amount| !enough(most(executor, amount.key), amount.wish))
        .map(|amount| format!("{} {}", amount.key, shown(amount.key, most(executor, amount.key))))
        .collect();
    format!("{}: {}", executor.name, lacking.join(", "))
}
