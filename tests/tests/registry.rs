//! Images from a registry: pulled when they are not here, and run by the digest that the registry says.
//!
//! Oracle: Debian's `docker-registry`, and what Docker's own client pushed to it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kentai_tests::{Site, tool, without_docker};

/// A registry of our own on a free port, ended at the end.
struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    fn start(directory: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let data = directory.join("registry");
        let config = directory.join("registry.yml");
        let text = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{address}\" }}\n",
            data.display()
        );
        fs::write(&config, text)?;
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("run docker-registry (scripts/test installs it)")?;
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&address).is_err() {
            ensure!(Instant::now() < end, "the registry does not answer");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(Self { child, address })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes an image with nothing but a shell, pushes it, and removes it here; gives the digest that was pushed.
fn push(registry: &Registry, directory: &Path) -> Result<(String, String)> {
    let image = format!("{}/tools:1", registry.address);
    let root = directory.join("image/bin");
    fs::create_dir_all(&root)?;
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).is_file());
    fs::copy(busybox.context("busybox-static")?, root.join("busybox"))?;
    std::os::unix::fs::symlink("busybox", root.join("sh"))?;
    tool("sh", &["-c", "tar -C image -c . | docker import - \"$1\"", "sh", &image], directory)?;
    let pushed = tool("docker", &["push", &image], directory)?;
    let digest = pushed.split_whitespace().find(|word| word.starts_with("sha256:")).context("the pushed digest")?;
    tool("docker", &["rmi", &image], directory)?;
    Ok((image, digest.to_owned()))
}

#[test]
fn an_image_is_pulled_from_a_registry_and_run_by_its_digest() -> Result<()> {
    if without_docker() {
        return Ok(());
    }
    let site = Site::new("registry", "")?;
    let directory = site.directory.path();
    let registry = Registry::start(directory)?;
    let (image, digest) = push(&registry, directory)?;
    site.write("x.txt", "x\n")?;
    site.write("sheet.csv", "specimen,x\nS1,x.txt\n")?;
    site.write(
        "pull.yaml",
        &format!(
            "kentai: 1\nworkflow: pull\nspecimen: {{ inputs: {{ x: file }} }}\nsteps:\n  a:\n    image: {image}\n    inputs: {{ x: \"${{{{ specimen.x }}}}\" }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: read -r line < \"$in_x\"; echo \"$line\" > \"$out_o\"\n"
        ),
    )?;
    let run = ["run", "pull.yaml", "--sheet", "sheet.csv", "--executor", "docker"];
    let (code, _, told) = site.run(run)?;
    ensure!(code == 0, "ended with {code}:\n{told}");
    let database = site.path().join("kentai.db").to_string_lossy().into_owned();
    let ran = tool("sqlite3", &[&database, "select task ->> 'image' from attempt"], Path::new("/"))?;
    ensure!(ran.trim().ends_with(&digest), "ran {ran}, pushed {digest}");
    let (code, told, _) = site.run(["workflow", "lock", "pull.yaml", "--executor", "docker"])?;
    ensure!(code == 0 && told.contains(&digest), "lock ended with {code}: {told}");
    // The registry is gone and so is the image: a new specimen waits for nobody, it is said at once.
    drop(registry);
    tool("sh", &["-c", "docker rmi -f $(docker images -q --no-trunc \"$1\" | sort -u)", "sh", &image], directory)?;
    site.write("sheet.csv", "specimen,x\nS2,x.txt\n")?;
    fs::remove_file(site.path().join("locks/images.json"))?;
    let (code, _, told) = site.run(run)?;
    ensure!(code == 7, "without registry and image it ended with {code}:\n{told}");
    Ok(())
}
