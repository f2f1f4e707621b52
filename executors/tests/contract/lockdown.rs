//! A tool that tries to get out: everything it tries must fail, and its own status must say why.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use kentai_engine::port::executor::Mount;

use crate::support::docker::{UID, docker, house};
use crate::support::house::exited;

/// Runs one command after the other, each in its own shell, and notes for each whether it came through.
const TRY: &str = r#"
try() { name=$1; shift; if "$@" >> tries.log 2>&1; then echo "$name=came-through"; else echo "$name=refused"; fi >> tries; }
try root_file      sh -c 'echo x > /x'
try etc            sh -c 'echo x > /etc/passwd'
try witness        sh -c 'echo x > /.kentai-witness'
try input          sh -c 'echo x >> ../in/r1/reads.fq'
try input_remove   rm -f ../in/r1/reads.fq
try input_new      sh -c 'echo x > ../in/new'
try secret         sh -c 'echo x >> /run/secrets/token'
try network        nc -w 2 192.0.2.1 80
try address        sh -c 'ip -o addr | grep -qv " lo "'
try raw_packet     arping -c 1 -I lo 127.0.0.1
try mount          mount -t tmpfs none /tmp
try remount        mount -o remount,rw /
try chown          sh -c 'echo x > own && chown 0:0 own'
try device         mknod disk b 8 0
try chroot         chroot / true
try namespace      unshare -m true
try user_namespace unshare -U true
try hostname       hostname other
try kernel         sh -c 'echo x > /proc/sys/kernel/hostname'
try control_group  sh -c 'echo 0 > /sys/fs/cgroup/memory/memory.limit_in_bytes || mkdir /sys/fs/cgroup/x'
try docker_socket  sh -c 'ls /var/run/docker.sock || ls /run/docker.sock'
try host_processes sh -c 'ls /proc/[0-9]*/exe | grep -q dockerd || test -d /proc/1/root/home'
try setuid         sh -c 'cp /bin/busybox busybox && chmod 4755 busybox && ./busybox id -u | grep -qx 0'
try tmp_full       sh -c 'head -c 33554432 /dev/zero > /tmp/big'
rm -f /tmp/big
try fork_bomb      sh -c 'i=0; while [ $i -lt 200 ]; do sleep 5 & i=$((i+1)); done'
cp /proc/self/status status
id -u > uid
cat /run/secrets/token > token
echo ok > /tmp/scratch && cat /tmp/scratch > scratch
"#;

#[tokio::test]
async fn a_tool_cannot_get_out_of_its_container() {
    let Some(house) = house() else { return };
    let (input, secret) = (house.path("reads"), house.path("token"));
    std::fs::write(&input, "ACGT\n").expect("write");
    std::fs::write(&secret, "canary\n").expect("write");
    // Writable for everyone, so that only the mount can refuse.
    for path in [&input, &secret] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).expect("changed");
    }
    let mut task = house.shell(TRY);
    task.mounts = vec![Mount { source: input.clone(), target: "r1/reads.fq".into() }];
    task.secrets = vec![("token".into(), secret)];
    let evidence = exited(house.run(&task).await);
    let read = |name: &str| std::fs::read_to_string(task.directory.join("work").join(name)).unwrap_or_default();
    let log = std::fs::read_to_string(task.directory.join("tool.log")).unwrap_or_default();
    let tries = read("tries");
    let wanted = TRY.lines().filter(|line| line.starts_with("try ")).count();
    assert_eq!(tries.lines().count(), wanted, "{evidence:?} {log} {}", read("tries.log"));
    let through: Vec<&str> = tries.lines().filter(|line| !line.ends_with("=refused")).collect();
    assert!(through.is_empty(), "{through:?}\n{}", read("tries.log"));
    assert!(read("tries.log").contains("Operation not permitted"), "{}", read("tries.log"));
    check_status(&read("status"));
    assert_eq!(read("uid").trim(), UID.to_string());
    assert_eq!((read("token").as_str(), read("scratch").as_str()), ("canary\n", "ok\n"));
    assert_eq!(std::fs::read_to_string(input).expect("untouched"), "ACGT\n");
    let inspected = docker(&["inspect", &format!("kentai-{}-{}", house.site, task.attempt)]);
    assert!(!inspected.contains("canary"), "a secret's text is nowhere in what an inspection shows");
    house.executor.forget(&task.attempt).await.expect("forgotten");
}

fn check_status(text: &str) {
    let status: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key, value.trim())).collect();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status.get(set).copied(), Some("0000000000000000"), "{set}");
    }
    assert_eq!(status.get("NoNewPrivs").copied(), Some("1"));
    assert_eq!(status.get("Seccomp").copied(), Some("2"));
}
