//! What a real Slurm gives to who asks for something else: the evidence says what Slurm itself says of the job.

use kentai_engine::port::executor::Task;

use crate::support::house::{House, exited};
use crate::support::slurm::Cluster;

/// Cores of two threads: nobody gets half of one.
fn whole_cores() -> Option<Cluster> {
    Cluster::with(&[("SLURM_THREADS", "2")])
}

/// Processors of an attempt's job, as its controller shows them.
async fn shown(cluster: &Cluster, house: &House, task: &Task) -> u32 {
    let job = cluster.job(house, &task.attempt).await;
    let text = cluster.call("scontrol", &["-o", "show", "job", &job]);
    let word = text.split_ascii_whitespace().find_map(|word| word.strip_prefix("NumCPUs="));
    word.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no processors in {text}"))
}

/// What the evidence says that a job of so many processors had, held against what Slurm says.
async fn had(cluster: &Cluster, house: &House, cpus: u32) -> u32 {
    let mut task = house.shell("true");
    task.cpus = cpus;
    let evidence = exited(house.run(&task).await);
    let granted = evidence.granted.unwrap_or_else(|| panic!("{evidence:?}"));
    assert_eq!(granted.cpus, shown(cluster, house, &task).await, "{evidence:?}");
    assert_eq!(granted.memory_bytes, None, "squeue does not say it");
    granted.cpus
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_has_whole_cores() {
    let Some(cluster) = whole_cores() else { return };
    for house in [Some(cluster.house()), cluster.podman_house()].into_iter().flatten() {
        assert_eq!(had(&cluster, &house, 1).await, 2);
        assert_eq!(had(&cluster, &house, 2).await, 2);
        assert_eq!(had(&cluster, &house, 3).await, 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_alone_on_its_node_has_all_of_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let house = cluster.house_with(|options| options.arguments = vec!["--exclusive".into()]);
    assert_eq!(had(&cluster, &house, 3).await, 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_given_more_memory_than_its_processors_may_have_has_more_of_them() {
    let Some(cluster) = Cluster::own() else { return };
    cluster.call("scontrol", &["update", "PartitionName=main", "MaxMemPerCPU=100"]);
    let house = cluster.house();
    let mut task = house.shell("true");
    (task.cpus, task.memory_bytes) = (2, 1000 << 20);
    let evidence = exited(house.run(&task).await);
    let granted = evidence.granted.unwrap_or_else(|| panic!("{evidence:?}"));
    assert_eq!((granted.cpus, shown(&cluster, &house, &task).await), (10, 10));
}
