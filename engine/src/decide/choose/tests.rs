//! Who takes what: order, labels, caps, images, drains, moves; and a thousand random sites.

use super::*;

fn request(cpus: u32, memory_bytes: u64) -> Request {
    Request { cpus, memory_bytes, disk_bytes: 0 }
}

fn labels(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn one<'a>(name: &'a str, labels: &'a BTreeSet<String>) -> Candidate<'a> {
    Candidate { name, labels, only_labelled: false, all: false, images: true, drained: false, away: false }
}

fn wish(request: Request) -> Wish<'static> {
    Wish { request, labels: &[], image: true, failed_at: &[] }
}

fn caps(slots: usize, cpus: u32, memory_bytes: u64) -> Caps {
    Caps { slots, resources: request(cpus, memory_bytes) }
}

/// `here` with the machine's 4 cores, `hpc` elsewhere without caps.
fn two() -> Books {
    Books::new(request(4, 100), 10, [(Caps::default(), false), (caps(2, 0, 0), true)])
}

#[test]
fn the_first_in_order_takes_it_and_the_next_when_that_one_is_full() {
    let none = labels(&[]);
    let (candidates, mut books) = ([one("here", &none), one("hpc", &none)], two());
    let mut taken = Vec::new();
    for _ in 0..4 {
        match choose(&wish(request(3, 0)), &candidates, &books, &[]) {
            Choice::Take(at) => {
                assert!(books.take(at, request(3, 0)));
                taken.push(at);
            }
            other => assert!(matches!(other, Choice::Full(0, Short::Site(_))), "{other:?}"),
        }
    }
    assert_eq!(taken, [0, 1, 1]);
}

#[test]
fn what_is_too_big_for_this_machine_is_taken_where_it_fits() {
    let none = labels(&[]);
    let candidates = [one("here", &none), one("hpc", &none)];
    assert_eq!(choose(&wish(request(64, 0)), &candidates, &two(), &[]), Choice::Take(1));
    let short = choose(&wish(request(64, 0)), &candidates[..1], &two(), &[]);
    assert!(matches!(short, Choice::Never(why) if matches!(why[0], (0, Never::Short(Short::Site(_))))));
}

#[test]
fn labels_lead_to_whoever_has_all_of_them_and_may_keep_others_out() {
    let (none, large) = (labels(&[]), labels(&["large", "fast"]));
    let mut candidates = [one("hpc", &large), one("here", &none)];
    let asked = named(&["large"]);
    let labelled = Wish { labels: &asked, ..wish(request(1, 0)) };
    assert_eq!(choose(&labelled, &candidates, &two(), &[]), Choice::Take(0));
    assert_eq!(choose(&wish(request(1, 0)), &candidates, &two(), &[]), Choice::Take(0), "it takes unlabelled ones too");
    candidates[0].only_labelled = true;
    assert_eq!(choose(&wish(request(1, 0)), &candidates, &two(), &[]), Choice::Take(1));
    let more = named(&["large", "gpu"]);
    let never = choose(&Wish { labels: &more, ..labelled }, &candidates, &two(), &[]);
    assert_eq!(never, Choice::Never(vec![(0, Never::Labels), (1, Never::Labels)]));
    candidates[1].all = true;
    assert_eq!(choose(&Wish { labels: &more, ..labelled }, &candidates, &two(), &[]), Choice::Take(1), "it was chosen");
}

#[test]
fn an_image_is_never_left_out() {
    let none = labels(&[]);
    let plain = Candidate { images: false, ..one("bench", &none) };
    let candidates = [plain, one("here", &none)];
    assert_eq!(choose(&wish(request(1, 0)), &candidates, &two(), &[]), Choice::Take(1));
    assert_eq!(choose(&Wish { image: false, ..wish(request(1, 0)) }, &candidates, &two(), &[]), Choice::Take(0));
}

#[test]
fn a_step_moves_away_from_where_it_failed_while_another_is_there() {
    let none = labels(&[]);
    let mut candidates = [one("here", &none), one("hpc", &none)];
    let at = |failed: &[&str], candidates: &[Candidate<'_>]| {
        let failed = named(failed);
        choose(&Wish { failed_at: &failed, ..wish(request(1, 0)) }, candidates, &two(), &[])
    };
    assert_eq!(at(&["here"], &candidates), Choice::Take(1));
    assert_eq!(at(&["here", "hpc"], &candidates), Choice::Take(0), "not where it failed last");
    assert_eq!(at(&["hpc", "here"], &candidates), Choice::Take(1), "though that one is the first in order");
    assert_eq!(at(&["here"], &candidates[..1]), Choice::Take(0), "there is no other");
    candidates[1].drained = true;
    assert_eq!(at(&["here"], &candidates), Choice::Take(0), "the other was drained");
}

#[test]
fn one_that_is_kept_free_for_a_bigger_step_takes_nothing_though_it_has_room() {
    let none = labels(&[]);
    let candidates = [one("here", &none), one("hpc", &none)];
    let at = |closed: &[bool]| choose(&wish(request(1, 0)), &candidates, &two(), closed);
    assert_eq!(at(&[true, false]), Choice::Take(1));
    let turn = Lack::Slots { used: 0, total: 0 };
    assert_eq!(at(&[true, true]), Choice::Full(0, Short::Own(turn)), "what is missing is a turn");
}

#[test]
fn nobody_is_given_a_step_who_was_drained_or_does_not_answer() {
    let none = labels(&[]);
    let mut candidates = [one("here", &none), one("hpc", &none)];
    candidates[0].away = true;
    assert_eq!(choose(&wish(request(1, 0)), &candidates, &two(), &[]), Choice::Take(1));
    candidates[1].drained = true;
    assert_eq!(choose(&wish(request(1, 0)), &candidates, &two(), &[]), Choice::Nobody(vec![0, 1]));
}

/// The same each time: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn small(&mut self, below: u64) -> u32 {
        u32::try_from(self.roll(below)).expect("small")
    }
}

const LABELS: [&str; 3] = ["large", "fast", "gpu"];

struct Site {
    names: Vec<String>,
    labels: Vec<BTreeSet<String>>,
    only: Vec<bool>,
    images: Vec<bool>,
    caps: Vec<(Caps, bool)>,
    total: Request,
    slots: usize,
}

fn random_site(dice: &mut Dice) -> Site {
    let count = 1 + dice.roll(4);
    let mut site = Site {
        names: (0..count).map(|n| format!("x{n}")).collect(),
        labels: Vec::new(),
        only: Vec::new(),
        images: Vec::new(),
        caps: Vec::new(),
        total: request(dice.small(9), dice.roll(9)),
        slots: 1 + usize::try_from(dice.roll(6)).expect("small"),
    };
    for _ in 0..count {
        site.labels.push(LABELS.iter().filter(|_| dice.roll(2) == 0).map(|label| (*label).to_owned()).collect());
        site.only.push(dice.roll(4) == 0);
        site.images.push(dice.roll(4) != 0);
        let slots = usize::try_from(dice.roll(4)).expect("small");
        site.caps.push((Caps { slots, resources: request(dice.small(7), dice.roll(7)) }, dice.roll(3) == 0));
    }
    site
}

/// Its number, what it asks for, its labels, whether it has an image, and where it failed.
type Waits = (usize, Request, Vec<String>, bool, Vec<String>);

/// What is taken, held against the site by somebody who adds up for themselves.
fn within_caps(site: &Site, running: &[(usize, Request)]) -> bool {
    let within = |most: u64, sum: u64| most == 0 || sum <= most;
    let sums = |which: &dyn Fn(usize) -> bool| {
        let of = running.iter().filter(|(at, _)| which(*at));
        of.fold((0_usize, 0_u64, 0_u64), |sum, (_, one)| {
            (sum.0 + 1, sum.1 + u64::from(one.cpus), sum.2 + one.memory_bytes)
        })
    };
    let here = sums(&|at| !site.caps[at].1);
    let site_holds = running.len() <= site.slots
        && within(site.total.cpus.into(), here.1)
        && within(site.total.memory_bytes, here.2);
    site_holds
        && site.caps.iter().enumerate().all(|(at, (caps, _))| {
            let own = sums(&|other| other == at);
            (caps.slots == 0 || own.0 <= caps.slots)
                && within(caps.resources.cpus.into(), own.1)
                && within(caps.resources.memory_bytes, own.2)
        })
}

#[test]
fn over_a_thousand_random_sites_no_cap_breaks_nothing_is_lost_and_all_that_fits_ends() {
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        let site = random_site(&mut dice);
        let mut books = Books::new(site.total, site.slots, site.caps.clone());
        let mut waiting: Vec<Waits> = (0..12)
            .map(|n| {
                let asked = LABELS.iter().filter(|_| dice.roll(5) == 0).map(|label| (*label).to_owned()).collect();
                (n, request(1 + dice.small(8), dice.roll(8)), asked, dice.roll(5) != 0, Vec::new())
            })
            .collect();
        let (mut running, mut ended, mut never) = (Vec::new(), Vec::new(), 0);
        let mut quiet = 0;
        while quiet < 50 {
            quiet += 1;
            let drained: Vec<bool> = site.names.iter().map(|_| quiet < 20 && dice.roll(6) == 0).collect();
            let away: Vec<bool> = site.names.iter().map(|_| quiet < 20 && dice.roll(6) == 0).collect();
            let candidates: Vec<Candidate<'_>> = (0..site.names.len())
                .map(|at| Candidate {
                    name: &site.names[at],
                    labels: &site.labels[at],
                    only_labelled: site.only[at],
                    all: false,
                    images: site.images[at],
                    drained: drained[at],
                    away: away[at],
                })
                .collect();
            let mut left = Vec::new();
            for (n, request, asked, image, failed_at) in waiting.drain(..) {
                let wish = Wish { request, labels: &asked, image, failed_at: &failed_at };
                match choose(&wish, &candidates, &books, &[]) {
                    Choice::Take(at) => {
                        assert!(!drained[at] && !away[at] && site.images[at] == image, "seed {seed}");
                        assert!(asked.iter().all(|label| site.labels[at].contains(label)), "seed {seed}");
                        assert!(books.take(at, request), "seed {seed}: what was chosen has room");
                        running.push((n, at, request, asked, image, failed_at));
                        quiet = 0;
                    }
                    Choice::Never(_) => never += 1,
                    Choice::Full(..) | Choice::Nobody(_) => left.push((n, request, asked, image, failed_at)),
                }
            }
            waiting = left;
            let taken: Vec<(usize, Request)> = running.iter().map(|one| (one.1, one.2)).collect();
            assert!(within_caps(&site, &taken), "seed {seed}: {taken:?}");
            assert_eq!(books.running(), running.len(), "seed {seed}");
            if !running.is_empty() && dice.roll(2) == 0 {
                let last = u64::try_from(running.len()).expect("few");
                let picked = usize::try_from(dice.roll(last)).expect("few");
                let (n, at, request, asked, image, mut failed_at) = running.swap_remove(picked);
                books.give_back(Some(at), request);
                if dice.roll(4) == 0 {
                    failed_at.push(site.names[at].clone());
                    waiting.push((n, request, asked, image, failed_at));
                } else {
                    ended.push(n);
                }
                quiet = 0;
            }
        }
        assert!(running.is_empty() && waiting.is_empty(), "seed {seed}: {waiting:?} wait, {running:?} run");
        ended.sort_unstable();
        let doubled = ended.windows(2).any(|pair| pair[0] == pair[1]);
        assert!(!doubled && ended.len() + never == 12, "seed {seed}: {ended:?} ended, {never} never fitted");
        let empty = Books::new(site.total, site.slots, site.caps.clone());
        assert_eq!(books, empty, "seed {seed}: everything was given back");
    }
}
