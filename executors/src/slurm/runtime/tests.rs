//! Golden command lines of each runtime.

use std::collections::BTreeMap;

use kentai_engine::port::executor::Mount;

use super::*;

fn task() -> Task {
    Task {
        attempt: "a-1".into(),
        site: "tokyo-1".into(),
        run: "r-1".into(),
        step: "align/L001".into(),
        epoch: 3,
        directory: "/lustre/site/attempts/a-1".into(),
        image: Some("sha256:abc".into()),
        argv: vec!["bwa".into(), "mem".into()],
        env: BTreeMap::new(),
        mounts: vec![Mount { source: "/lustre/site/artifacts/aa/b,c".into(), target: "r1/a.fastq.gz".into() }],
        secrets: vec![("key".into(), "/lustre/site/secrets/key".into())],
        cpus: 4,
        memory_bytes: 8 << 30,
        disk_bytes: 0,
        network: false,
        timeout_s: 3600,
        grace_s: 10,
        nonce: "n".into(),
        digest: "d".into(),
        log_bytes_max: 1,
    }
}

fn settings() -> Settings<'static> {
    Settings {
        name: "kentai-tokyo-1-a-1",
        binary: Path::new("/lustre/site/attempts/.slurm/kentai-0123"),
        pipe: Path::new("/lustre/site/attempts/.slurm/a-1.pipe"),
        user: Some((64100, 64100)),
        pids: 4096,
        tmpfs_bytes: 1 << 30,
        images: Some(Path::new("/lustre/images")),
    }
}

fn text(runtime: Runtime) -> String {
    let lines = lines(runtime, &settings(), &task(), "tools:1");
    let part = |words: Option<Vec<String>>| words.unwrap_or_default().join(" ");
    format!("{}\n{}\n{}", part(lines.has_image), lines.start.join("\n  "), part(lines.remove))
}

#[test]
fn podman() {
    let wanted = "podman image inspect --format {{.Id}} tools:1
podman
  run
  --rm
  --pull=never
  --read-only
  --cap-drop=ALL
  --workdir=/
  --security-opt=no-new-privileges
  --log-driver=none
  --hostname=kentai
  --ipc=private
  --name=kentai-tokyo-1-a-1
  --network=none
  --pids-limit=4096
  --memory=8589934592b
  --memory-swap=8589934592b
  --user=64100:64100
  --http-proxy=false
  --init=false
  --label=kentai.site=tokyo-1
  --label=kentai.run=r-1
  --label=kentai.step=align/L001
  --label=kentai.attempt=a-1
  --tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,size=1073741824
  --mount
  type=bind,src=/lustre/site/attempts/.slurm/kentai-0123,dst=/.kentai-witness,readonly
  --mount
  type=bind,src=/lustre/site/attempts/.slurm/a-1.pipe,dst=/.kentai-keeper,readonly
  --mount
  type=bind,src=/lustre/site/attempts/a-1,dst=/kentai
  --mount
  type=bind,\"src=/lustre/site/artifacts/aa/b,c\",dst=/kentai/in/r1/a.fastq.gz,readonly
  --mount
  type=bind,src=/lustre/site/secrets/key,dst=/run/secrets/key,readonly
  --entrypoint=/.kentai-witness
  tools:1
  witness
  /kentai
podman rm --force --volumes kentai-tokyo-1-a-1";
    assert_eq!(text(Runtime::Podman), wanted);
}

#[test]
fn docker_has_none_of_podmans_own_words() {
    let docker = text(Runtime::Docker);
    assert!(
        docker.starts_with("docker image inspect")
            && docker.ends_with("docker rm --force --volumes kentai-tokyo-1-a-1")
    );
    assert!(!docker.contains("http-proxy") && !docker.contains("--init"));
}

#[test]
fn apptainer() {
    let wanted = "
apptainer
  exec
  --containall
  --no-home
  --no-init
  --pwd
  /
  --net
  --network
  none
  --mount
  type=bind,src=/lustre/site/attempts/.slurm/kentai-0123,dst=/.kentai-witness,ro
  --mount
  type=bind,src=/lustre/site/attempts/.slurm/a-1.pipe,dst=/.kentai-keeper,ro
  --mount
  type=bind,src=/lustre/site/attempts/a-1,dst=/kentai
  --mount
  type=bind,\"src=/lustre/site/artifacts/aa/b,c\",dst=/kentai/in/r1/a.fastq.gz,ro
  --mount
  type=bind,src=/lustre/site/secrets/key,dst=/run/secrets/key,ro
  /lustre/images/tools_1.sif
  /.kentai-witness
  witness
  /kentai
";
    assert_eq!(text(Runtime::Apptainer), wanted);
}

#[test]
fn an_image_file_lies_in_its_folder_whatever_its_name() {
    let file = |image| image_file(Path::new("/images"), image);
    assert_eq!(file("../../etc/x"), Path::new("/images/_.._etc_x.sif"));
    assert_eq!(file("quay.io/biocontainers/bwa:0.7"), Path::new("/images/quay.io_biocontainers_bwa_0.7.sif"));
}
