//! `script` and `command` steps.

use super::Defaults;
use super::checker::{flag, text_of};
use super::scope::Scope;
use super::script;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Node};
use crate::expression::Template;
use crate::workflow::{Action, Format, Input, Output, Tool};

impl Scope<'_, '_> {
    pub(super) fn tool(&mut self, entry: &Entry, defaults: &Defaults<'_>) -> Option<Tool> {
        let node = &entry.value;
        let (resources, amounts) = self.resources(node.get("resources"), defaults.resources);
        let image = self.image(entry, defaults, &resources.labels);
        if image.is_some() || self.image_optional(&resources.labels) {
            let place = node.entry("resources").map_or(&entry.key_span, |entry| &entry.key_span);
            self.fits_somewhere(&amounts, &resources.labels, image.is_some(), place.clone());
        }
        self.has_resources = true;
        let inputs = self.inputs(node.get("inputs"));
        let outputs = self.outputs(node.get("outputs"));
        let env = self.environment(node.get("env"));
        if let Some(gpus) = node.get("resources").and_then(|resources| resources.entry("gpus")) {
            self.checker.no_effect("gpus", gpus.key_span.clone());
        }
        let secrets = self.secrets(node);
        let network = self.network(node, defaults);
        if let Some(cache) = node.entry("cache").filter(|cache| cache.value.text() == Some("true")) {
            self.checker.no_effect("cache: true", cache.key_span.clone());
        }
        let action = self.action(node)?;
        Some(Tool {
            action,
            image,
            inputs,
            outputs,
            env,
            resources,
            secrets,
            network,
            cache: flag(node, "cache", false),
        })
    }

    fn action(&mut self, node: &Node) -> Option<Action> {
        if let Some(command) = node.get("command") {
            let items = command.items();
            if items.is_empty() {
                let (en, ja) = ("a command names at least a program", "コマンドにはプログラム名が必要です");
                self.checker.note(Diagnostic::error("K014", en, ja), command.span.clone());
            }
            let read: Vec<Option<Template>> =
                items.iter().map(|item| self.template(item, false).map(|(template, _)| template)).collect();
            return read.into_iter().collect::<Option<Vec<_>>>().map(Action::Command);
        }
        let script = node.get("script")?;
        script::check(self.checker, node, script, &self.loops);
        let shell = text_of(node, "shell").unwrap_or("sh").to_owned();
        Some(Action::Script { shell, text: script.text()?.to_owned() })
    }

    fn image(&mut self, entry: &Entry, defaults: &Defaults<'_>, labels: &[String]) -> Option<String> {
        let own = entry.value.get("image");
        let Some(node) = own.or(defaults.image) else {
            let found = Diagnostic::error(
                "K051",
                format!("`{}` names no image", entry.key),
                format!("`{}` にイメージがありません", entry.key),
            )
            .help(
                "write: image: NAME:TAG, here or under `defaults`",
                "ここか `defaults` に書いてください: image: 名前:タグ",
            );
            if !self.image_optional(labels) {
                self.checker.note(found, entry.key_span.clone());
            }
            return None;
        };
        let image = node.text()?;
        if own.is_some() {
            self.checker.image(image, node.span.clone());
        }
        Some(image.to_owned())
    }

    fn inputs(&mut self, node: Option<&Node>) -> Vec<(String, Input)> {
        let entries = node.map(Node::entries).unwrap_or_default();
        entries.iter().filter_map(|entry| Some((entry.key.to_string(), self.input(&entry.value)?))).collect()
    }

    fn input(&mut self, node: &Node) -> Option<Input> {
        let optional = flag(node, "optional", false);
        let (place, value, kind) = match node.get("from") {
            Some(from) => {
                let (expression, kind) = self.expression(from, optional)?;
                (from, Template::from(expression), kind)
            }
            None => {
                let (template, kind) = self.template(node, false)?;
                (node, template, kind)
            }
        };
        if !kind.is_files() {
            let help = match kind {
                super::types::Type::Reference => {
                    ("name a role: params.X.fasta, params.X.bwa", "役割を指定します: params.X.fasta、params.X.bwa")
                }
                _ => ("give other values to the script through `env`", "他の値は `env` でスクリプトに渡します"),
            };
            self.mismatch(place, &kind, ("a file or a list of files", "ファイルかそのリスト"), help);
        }
        Some(Input { value, optional })
    }

    fn environment(&mut self, node: Option<&Node>) -> Vec<(String, Template)> {
        let mut variables = Vec::new();
        for entry in node.map(Node::entries).unwrap_or_default() {
            let Some((template, kind)) = self.template(&entry.value, false) else { continue };
            if !kind.is_scalar() && !kind.is_files() {
                let help = ("a field of it: x.id", "フィールドを指定します: x.id");
                self.mismatch(&entry.value, &kind, ("text, a number or a file", "文字列、数値、ファイル"), help);
            }
            variables.push((entry.key.to_string(), template));
        }
        variables
    }

    fn secrets(&mut self, node: &Node) -> Vec<(String, String)> {
        let Some(secrets) = node.entry("secrets") else { return Vec::new() };
        self.checker.no_effect("secrets", secrets.key_span.clone());
        let mut named = Vec::new();
        for entry in secrets.value.entries() {
            let Some(secret) = entry.value.text() else { continue };
            let known = self.checker.site.secrets.as_ref().map(std::collections::BTreeSet::iter);
            self.checker.at_site(("secret", "秘密情報"), secret, known, entry.value.span.clone());
            named.push((entry.key.to_string(), secret.to_owned()));
        }
        named
    }

    fn network(&mut self, node: &Node, defaults: &Defaults<'_>) -> bool {
        let Some(place) = node.get("network").or(defaults.network) else { return false };
        let wanted = place.text() == Some("true");
        if wanted && !self.checker.site.network_allowed {
            let (en, ja) = ("this site gives steps no network", "このサイトではステップはネットワークを使えません");
            let found = Diagnostic::error("K055", en, ja)
                .help("bring what it needs in an input or in the image", "必要なものは入力かイメージに含めてください");
            self.checker.note(found, place.span.clone());
        }
        wanted
    }

    fn outputs(&mut self, node: Option<&Node>) -> Vec<(String, Output)> {
        let mut outputs: Vec<(String, Output)> = Vec::new();
        let mut paths = std::collections::HashSet::new();
        for entry in node.map(Node::entries).unwrap_or_default() {
            let Some((output, place)) = self.output(entry) else { continue };
            if let Some(text) = place.text()
                && !paths.insert(text.to_owned())
            {
                let found = Diagnostic::error(
                    "K045",
                    format!("two outputs have the path `{text}`"),
                    format!("パス `{text}` の出力が 2 つあります"),
                );
                self.checker.note(found, place.span.clone());
            }
            outputs.push((entry.key.to_string(), output));
        }
        outputs
    }

    fn output<'n>(&mut self, entry: &'n Entry) -> Option<(Output, &'n Node)> {
        let node = &entry.value;
        let (place, glob) = match (node.get("path"), node.get("glob")) {
            (Some(path), None) => (path, false),
            (None, Some(glob)) => (glob, true),
            _ => {
                let (en, ja) =
                    ("an output has either `path` or `glob`", "出力には `path` か `glob` のどちらか一方を書きます");
                self.checker.note(Diagnostic::error("K045", en, ja), entry.key_span.clone());
                return None;
            }
        };
        let (path, kind) = self.template(place, false)?;
        if !kind.is_scalar() {
            self.mismatch(
                place,
                &kind,
                ("a path", "パス"),
                ("the name of a file is: x | basename", "ファイルの名前は x | basename です"),
            );
        }
        self.beneath(place);
        let dir = flag(node, "dir", false);
        let format = text_of(node, "format").and_then(format_of);
        if dir && let Some(entry) = node.entry("format") {
            let (en, ja) = ("a directory has no `format`", "ディレクトリに `format` はありません");
            self.checker.note(Diagnostic::error("K045", en, ja), entry.key_span.clone());
        }
        let (optional, keep) = (flag(node, "optional", false), flag(node, "keep", true));
        let checksum = super::checker::owned(node, "checksum");
        Some((Output { path, glob, format, optional, dir, keep, checksum }, place))
    }

    /// An output lies beneath the working directory, so that nothing else can be overwritten or handed out.
    fn beneath(&mut self, node: &Node) {
        let text = node.text().unwrap_or("");
        let outside = text.starts_with('/') || text.starts_with('~') || text.split('/').any(|part| part == "..");
        if outside || text.trim().is_empty() {
            let (en, ja) = ("an output lies beneath the working directory", "出力は作業ディレクトリの中に置きます");
            let found = Diagnostic::error("K045", en, ja)
                .help("write a relative path without `..`", "`..` を含まない相対パスで書きます");
            self.checker.note(found, node.span.clone());
        }
    }
}

fn format_of(text: &str) -> Option<Format> {
    match text {
        "bam" => Some(Format::Bam),
        "cram" => Some(Format::Cram),
        "vcf.gz" => Some(Format::VcfGz),
        "bcf" => Some(Format::Bcf),
        "fastq.gz" => Some(Format::FastqGz),
        "json" => Some(Format::Json),
        "text" => Some(Format::Text),
        _ => None,
    }
}
