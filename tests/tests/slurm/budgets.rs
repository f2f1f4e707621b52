//! Faults that a real Slurm really has, through the whole engine: whose budget each of them spends, as SQLite's own program reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kentai_tests::slurm::Cluster;
use kentai_tests::{Site, tool};

/// A step that does this on its first try (`$n` counts them from 0), and on a later one says which it was.
fn step(at: &Path, id: &str, more: &str, first: &str) -> String {
    let at = at.display();
    format!(
        "  {id}:\n    image: none\n    inputs: {{ x: \"${{{{ specimen.x }}}}\" }}\n    outputs: {{ y: {{ path: y.txt, keep: true }} }}\n\
         {more}    script: |\n      n=0; while ! mkdir {at}/{id}.$n; do n=$((n + 1)); done\n      {first}\n      echo $n > \"$out_y\"\n"
    )
}

fn retry(cause: &str) -> String {
    format!(
        "    retry: {{ attempts: 2, causes: [{cause}], wait: {{ first: 0s, max: 0s, jitter: false }} }}\n    resources: {{ memory: 64 MiB }}\n"
    )
}

fn steps(at: &Path) -> String {
    let waits = "[ $n -gt 0 ] || sleep 1000";
    // What outlives its node is let go at the end, and then writes what nobody may take.
    let outlives = format!("while [ $n = 0 ] && [ ! -e {}/go ]; do sleep 0.1; done", at.display());
    [
        // The shell goes on after its child was killed, and leaves its output.
        step(at, "memory", &retry("out_of_memory"), "[ $n -gt 0 ] || head -c 400000000 /dev/zero | tail > /dev/null"),
        step(at, "time", &format!("{}    timeout: 2s\n", retry("timeout")), waits),
        step(at, "limit", &retry("timeout"), waits),
        step(at, "tool", &retry("tool"), "[ $n -gt 0 ] || exit 3"),
        step(at, "canceled", "", waits),
        step(at, "requeued", "", waits),
        // The site pays for the first, so that the workflow's two are still enough.
        step(at, "both", &retry("tool"), "case $n in 0) sleep 1000 ;; 1) exit 3 ;; esac"),
        step(at, "node", "    after: [memory, time, limit, tool, canceled, requeued, both]\n", &outlives),
    ]
    .concat()
}

struct Story {
    cluster: Cluster,
    site: Site,
    at: PathBuf,
}

impl Story {
    /// Waits until the first try of a step runs; gives its job and the node.
    fn first(&self, id: &str) -> Result<(String, String)> {
        appeared(&self.at.join(format!("{id}.0")));
        let shown = self.cluster.call("squeue", &["-h", "-t", "RUNNING", "-o", "%i|%N|%k"])?;
        let mut lines = shown.lines().filter_map(|line| line.split_once('|'));
        let found = lines.find(|(_, rest)| rest.ends_with(&format!(" {id}")));
        let (job, rest) = found.with_context(|| format!("no job of {id}: {shown}"))?;
        Ok((job.to_owned(), rest.split('|').next().unwrap_or_default().to_owned()))
    }

    fn sql(&self, query: &str) -> Result<String> {
        let database = self.site.path().join("kentai.db");
        Ok(tool("sqlite3", &[&database.to_string_lossy(), query], Path::new("/"))?.trim().to_owned())
    }

    fn attempts(&self) -> Result<String> {
        self.sql(
            "select step_key || ' ' || number || ' ' || status || ' ' || cause from attempt order by step_key, number",
        )
    }

    fn faults(&self) -> Result<()> {
        let (job, _) = self.first("limit")?;
        self.cluster.call("scontrol", &["update", &format!("JobId={job}"), "TimeLimit=1"])?;
        for id in ["canceled", "both"] {
            self.cluster.call("scancel", &[&self.first(id)?.0])?;
        }
        let (job, _) = self.first("requeued")?;
        self.cluster.call("scontrol", &["update", &format!("JobId={job}"), "Requeue=1"])?;
        self.cluster.call("scontrol", &["requeue", &job])?;
        // Slurm waits with the second start for two minutes, unless it is told not to.
        while self.cluster.call("squeue", &["-h", "-j", &job, "-o", "%T"])?.trim() != "PENDING" {
            std::thread::yield_now();
        }
        self.cluster.call("scontrol", &["update", &format!("JobId={job}"), "StartTime=now"])?;
        let (_, node) = self.first("node")?;
        self.cluster.signal(&format!("slurmd.{node}"), "-KILL")
    }
}

fn appeared(path: &Path) {
    while !path.exists() {
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn each_fault_of_a_real_slurm_spends_the_budget_that_it_should() -> Result<()> {
    let Some(cluster) = Cluster::own()? else { return Ok(()) };
    if !cluster.limits_memory() {
        eprintln!("skipped: this Slurm watches memory and does not limit it");
        return Ok(());
    }
    let site = Site::new("budgets", &cluster.lines("none"))?;
    let at = site.directory.path().join("tries");
    fs::create_dir(&at)?;
    let text = format!("kentai: 1\nworkflow: budgets\nspecimen: {{ inputs: {{ x: file }} }}\nsteps:\n{}", steps(&at));
    let file = site.write("budgets.yaml", &text)?;
    site.write("x.txt", "x\n")?;
    let sheet = site.write("sheet.csv", "specimen,x\nS1,x.txt\n")?;
    let (file, sheet) = (file.to_string_lossy().into_owned(), sheet.to_string_lossy().into_owned());
    let arguments = ["run", &file, "--sheet", &sheet, "--executor", "hpc", "--quiet"];
    let run = site.command(arguments)?.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let story = Story { cluster, site, at };
    let faults = story.faults();
    let output = run.wait_with_output()?;
    faults?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = story.attempts()?;
    let wanted = "both 1 failed infrastructure\nboth 2 failed tool\nboth 3 committed \n\
                  canceled 1 failed infrastructure\ncanceled 2 committed \n\
                  limit 1 failed timeout\nlimit 2 committed \n\
                  memory 1 failed out_of_memory\nmemory 2 committed \n\
                  node 1 failed infrastructure\nnode 2 committed \n\
                  requeued 1 failed infrastructure\nrequeued 2 committed \n\
                  time 1 failed timeout\ntime 2 committed \n\
                  tool 1 failed tool\ntool 2 committed";
    ensure!(told == wanted, "{told}");
    let spent =
        story.sql("select step_key || ' ' || json_extract(detail, '$.failures') from step order by step_key")?;
    let wanted = r#"both {"infrastructure":1,"tool":1}
canceled {"infrastructure":1}
limit {"timeout":1}
memory {"out_of_memory":1}
node {"infrastructure":1}
requeued {"infrastructure":1}
time {"timeout":1}
tool {"tool":1}"#;
    ensure!(spent == wanted, "{spent}");
    // The failed node's processes still run. What they leave now is whole, and nobody's.
    let first = story.sql("select attempt_id from attempt where step_key = 'node' and number = 1")?;
    fs::write(story.at.join("go"), "")?;
    appeared(&story.site.path().join("attempts").join(&first).join("exit.json"));
    let (code, _, said) = story.site.run(arguments)?;
    ensure!(code == 0 && story.attempts()? == told, "{code}: {said}{}", story.attempts()?);
    let second = tool("sh", &["-c", "echo 1 | sha256sum"], Path::new("/"))?;
    let taken =
        story.sql("select step_key || ' ' || sha256 from made where step_key in ('memory', 'node') order by 1")?;
    ensure!(taken == format!("memory {0}\nnode {0}", &second[..64]), "{taken}");
    Ok(())
}
