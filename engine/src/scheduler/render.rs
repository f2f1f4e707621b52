//! From a checked tool step and its scope to a task: arguments, environment, inputs, limits.
//!
//! Data never becomes part of a shell text: a script is passed as it is written, values travel in the environment or as whole
//! arguments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kentai_workflows::expression::{Part, Piece, Template};
use kentai_workflows::resources::parse_size;
use kentai_workflows::value::{FileValue, Map, Value, to_text};
use kentai_workflows::workflow::{Action, Tool};
use sha2::{Digest, Sha256};

use super::Options;
use super::live::{LiveRun, text};
use super::scope;
use crate::decide::admit::Request;
use crate::decide::retry::escalate;
use crate::id::AttemptId;
use crate::port::collect::{Expected, format_name};
use crate::port::executor::{Executor, Mount, Task};
use crate::state::attempt::Cause;
use crate::store::rows::detail::Detail;

/// Cores of a step that asks for none.
const CPUS: u32 = 1;
/// Log bytes kept per attempt: enough for every tool met so far, small enough for a hundred thousand attempts.
const LOG_BYTES_MAX: u64 = 8 << 20;
/// Between SIGTERM and SIGKILL: what samtools needs to remove its temporary files.
const GRACE_S: u64 = 10;
/// Linux refuses longer single arguments (MAX_ARG_STRLEN).
const ARGUMENT_MAX: usize = 128 * 1024 - 1;

/// A task ready to be stored and launched.
pub(super) struct Prepared {
    pub(super) task: Task,
    pub(super) expected: Vec<Expected>,
    pub(super) request: Request,
}

/// What a step may take, before anything is rendered.
pub(super) fn request(run: &LiveRun, index: usize, tool: &Tool, options: &Options) -> Result<Request, String> {
    // Most steps ask for plain amounts: the scope is made only for those that compute them.
    let plain =
        [&tool.resources.cpus, &tool.resources.memory, &tool.resources.disk].into_iter().flatten().all(is_plain);
    let scope = if plain { Map::new() } else { scope::of(run, index) };
    let detail = &run.steps[index].detail;
    let retry = &run.definition(index).retry;
    let cpus = amount(tool.resources.cpus.as_ref(), &scope, "cpus")?
        .map_or(CPUS, |n| u32::try_from(n).unwrap_or(u32::MAX))
        .max(1);
    let memory = amount(tool.resources.memory.as_ref(), &scope, "memory")?.unwrap_or(0);
    let disk = amount(tool.resources.disk.as_ref(), &scope, "disk")?.unwrap_or(0);
    let out_of_memory = failures(detail, Cause::OutOfMemory);
    // What an executor ever has is the end of it, whatever one step might get.
    let (memory_most, disk_most) = options.most(&tool.resources.labels);
    let limits = [options.memory_max_per_step, memory_most];
    let memory_max = limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(0);
    Ok(Request {
        cpus,
        memory_bytes: escalate(memory, retry.escalate_memory, out_of_memory, memory_max),
        disk_bytes: escalate(disk, retry.escalate_disk, failures(detail, Cause::BadOutput), disk_most),
    })
}

fn is_plain(template: &Template) -> bool {
    template.parts.iter().all(|part| matches!(part, Part::Text(_)))
}

fn failures(detail: &Detail, cause: Cause) -> u32 {
    detail.failures.get(cause.word()).copied().unwrap_or(0)
}

fn amount(template: Option<&Template>, scope: &Map, what: &str) -> Result<Option<u64>, String> {
    let Some(template) = template else { return Ok(None) };
    let text = template.render_text(scope).map_err(|error| error.to_string())?;
    let number = text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a number that is not negative"
    )]
    let whole = number.map(|number| number.ceil() as u64);
    whole
        .or_else(|| parse_size(&text))
        .map(Some)
        .ok_or_else(|| format!("`resources.{what}` is `{text}`, which is no amount"))
}

/// Renders the task of one attempt.
pub(super) fn render(
    run: &LiveRun,
    index: usize,
    tool: &Tool,
    attempt: &AttemptId,
    directory: PathBuf,
    request: Request,
    (options, executor, epoch): (&Options, &dyn Executor, i64),
) -> Result<Prepared, String> {
    let mut scope = scope::of(run, index);
    scope.insert(
        "resources".into(),
        serde_json::json!({ "cpus": request.cpus, "memory": request.memory_bytes, "disk": request.disk_bytes }),
    );
    let mut binder = Binder { root: executor.root(&directory), mounts: BTreeMap::new() };
    let mut env = BTreeMap::new();
    for (name, input) in &tool.inputs {
        bind_input(&mut binder, &mut env, &scope, name, &input.value, input.optional)?;
    }
    let expected = outputs(tool, &scope)?;
    for output in &expected {
        env.insert(format!("out_{}", output.name), path_text(&binder.root.join("work").join(&output.path)));
    }
    loop_names(&mut binder, &mut env, &run.steps[index].planned.item)?;
    for (name, template) in &tool.env {
        env.insert(name.clone(), binder.text(&format!("env_{name}"), template, &scope)?);
    }
    let detail = &run.steps[index].detail;
    facts(&mut env, run, request, detail.attempts + 1);
    let argv = argv(tool, &mut binder, &scope)?;
    let image = image(run, tool, executor)?;
    let definition = run.definition(index);
    let timeout_s = escalate(
        definition.timeout_s.unwrap_or(0),
        definition.retry.escalate_timeout,
        failures(detail, Cause::Timeout),
        options.timeout_max_s,
    );
    let mut task = Task {
        attempt: attempt.to_string(),
        site: options.site.clone(),
        run: run.id.to_string(),
        step: run.steps[index].planned.key.clone(),
        epoch,
        directory,
        image,
        argv,
        env,
        mounts: binder.mounts.into_iter().map(|(target, source)| Mount { source, target }).collect(),
        secrets: Vec::new(),
        cpus: request.cpus,
        memory_bytes: request.memory_bytes,
        disk_bytes: request.disk_bytes,
        network: tool.network,
        timeout_s,
        grace_s: GRACE_S,
        nonce: crate::id::fresh("n"),
        digest: String::new(),
        log_bytes_max: LOG_BYTES_MAX,
    };
    task.digest = digest(&task);
    Ok(Prepared { task, expected, request })
}

/// SHA-256 over everything that defines the work of this attempt.
fn digest(task: &Task) -> String {
    let hash = Sha256::digest(text(task).as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn image(run: &LiveRun, tool: &Tool, executor: &dyn Executor) -> Result<Option<String>, String> {
    if !executor.needs_image() {
        return Ok(None);
    }
    let name = tool.image.as_ref().ok_or("it names no image, and this executor runs images")?;
    match run.images.get(name) {
        Some(locked) => Ok(Some(locked.clone())),
        None => Err(format!("image `{name}` is not locked for this run; submit it again")),
    }
}

fn argv(tool: &Tool, binder: &mut Binder, scope: &Map) -> Result<Vec<String>, String> {
    let argv = match &tool.action {
        Action::Script { shell, text } => {
            let flags: &[&str] = if shell == "bash" { &["-eu", "-o", "pipefail", "-c"] } else { &["-eu", "-c"] };
            let program = format!("/bin/{shell}");
            std::iter::once(program.as_str())
                .chain(flags.iter().copied())
                .chain([text.as_str()])
                .map(str::to_owned)
                .collect()
        }
        Action::Command(arguments) => {
            let mut argv = Vec::new();
            for (position, template) in arguments.iter().enumerate() {
                argv.extend(binder.arguments(&format!("arg_{position}"), template, scope)?);
            }
            argv
        }
    };
    match argv.iter().find(|argument| argument.len() > ARGUMENT_MAX || argument.contains('\0')) {
        Some(_) => {
            Err(format!("an argument is longer than {ARGUMENT_MAX} bytes (or holds a zero byte); give it as a file"))
        }
        None => Ok(argv),
    }
}

fn outputs(tool: &Tool, scope: &Map) -> Result<Vec<Expected>, String> {
    let one = |(name, output): &(String, kentai_workflows::workflow::Output)| {
        let path = output.path.render_text(scope).map_err(|error| error.to_string())?;
        let beneath = Path::new(&path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if path.is_empty() || !beneath {
            return Err(format!("output `{name}`: `{path}` is not a path beneath the working directory"));
        }
        Ok(Expected {
            name: name.clone(),
            path,
            glob: output.glob,
            dir: output.dir,
            optional: output.optional,
            format: output.format.map(|format| format_name(format).to_owned()),
        })
    };
    tool.outputs.iter().map(one).collect()
}

fn bind_input(
    binder: &mut Binder,
    env: &mut BTreeMap<String, String>,
    scope: &Map,
    name: &str,
    template: &Template,
    optional: bool,
) -> Result<(), String> {
    match binder.text(name, template, scope) {
        Ok(text) => {
            env.insert(format!("in_{name}"), text);
            Ok(())
        }
        Err(_) if optional => {
            env.insert(format!("in_{name}"), String::new());
            Ok(())
        }
        Err(reason) => Err(format!("input `{name}`: {reason}")),
    }
}

/// `$each_lane`, `$each_lane_id` … : text as it is, files by path.
fn loop_names(binder: &mut Binder, env: &mut BTreeMap<String, String>, item: &Map) -> Result<(), String> {
    for (name, value) in item {
        let Value::Object(fields) = value else {
            env.insert(format!("each_{name}"), binder.value(&format!("each_{name}"), value)?);
            continue;
        };
        if FileValue::of(value).is_some() {
            env.insert(format!("each_{name}"), binder.value(&format!("each_{name}"), value)?);
            continue;
        }
        env.insert(format!("each_{name}"), fields.get("id").map(to_text).unwrap_or_default());
        for (field, value) in fields {
            // Files of an item are given through `inputs` only: what is mounted is what the step asked for.
            if FileValue::of(value).is_none() {
                env.insert(format!("each_{name}_{field}"), to_text(value));
            }
        }
    }
    Ok(())
}

fn facts(env: &mut BTreeMap<String, String>, run: &LiveRun, request: Request, attempt: u32) {
    env.insert("cpus".into(), request.cpus.to_string());
    env.insert("memory_mb".into(), (request.memory_bytes >> 20).to_string());
    env.insert("disk_mb".into(), (request.disk_bytes >> 20).to_string());
    env.insert("attempt".into(), attempt.to_string());
    env.insert("specimen_id".into(), run.plan.specimen.id.clone());
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Gives files a place beneath `in/` and remembers what must be mounted there.
struct Binder {
    root: PathBuf,
    mounts: BTreeMap<PathBuf, PathBuf>,
}

impl Binder {
    /// A template's text; files become paths, a list one value a line.
    fn text(&mut self, name: &str, template: &Template, scope: &Map) -> Result<String, String> {
        let pieces = template.render(scope).map_err(|error| error.to_string())?;
        let parts: Result<Vec<String>, String> = pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Ok(text),
                Piece::Value(Value::Null) => Err("it has no value".to_owned()),
                Piece::Value(value) => self.value(name, &value),
            })
            .collect();
        Ok(parts?.concat())
    }

    /// A command's argument; a template that is one list becomes several.
    fn arguments(&mut self, name: &str, template: &Template, scope: &Map) -> Result<Vec<String>, String> {
        let pieces = template.render(scope).map_err(|error| error.to_string())?;
        if let [Piece::Value(Value::Array(items))] = pieces.as_slice() {
            return items.iter().enumerate().map(|(n, item)| self.value(&format!("{name}/{n}"), item)).collect();
        }
        Ok(vec![self.text(name, template, scope)?])
    }

    fn value(&mut self, name: &str, value: &Value) -> Result<String, String> {
        if let Some(file) = FileValue::of(value) {
            return self.file(name, &file);
        }
        match value {
            Value::Array(items) => {
                let twins = has_twins(items);
                let paths: Result<Vec<String>, String> = items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| self.value(&if twins { format!("{name}/{n}") } else { name.to_owned() }, item))
                    .collect();
                Ok(paths?.join("\n"))
            }
            other => Ok(to_text(other)),
        }
    }

    fn file(&mut self, name: &str, file: &FileValue) -> Result<String, String> {
        if let Some(bundle) = &file.bundle {
            let mut target = PathBuf::from(name);
            while self.mounts.get(&target).is_some_and(|source| source != Path::new(bundle)) {
                target.as_mut_os_string().push("_");
            }
            self.mounts.insert(target.clone(), PathBuf::from(bundle));
            return Ok(path_text(&self.root.join("in").join(target).join(&file.name)));
        }
        let source = file.path.clone().ok_or_else(|| format!("file `{}` has no place", file.name))?;
        let target = self.free_target(name, &file.name);
        self.mounts.insert(target.clone(), PathBuf::from(source));
        Ok(path_text(&self.root.join("in").join(target)))
    }
}

impl Binder {
    /// `in/<file>` while that name is free, else `in/<input>/<file>`: a directory less for nearly every attempt.
    fn free_target(&self, name: &str, file: &str) -> PathBuf {
        let flat = PathBuf::from(file);
        let taken = self.mounts.keys().any(|target| target.starts_with(&flat));
        if taken || file == name.split('/').next().unwrap_or(name) { Path::new(name).join(file) } else { flat }
    }
}

/// Two files of a list have one name: each then gets a directory of its own.
fn has_twins(items: &[Value]) -> bool {
    let mut names = std::collections::BTreeSet::new();
    items.iter().filter_map(FileValue::of).any(|file| !names.insert(file.name))
}
