//! What the site file may say, and where values come from.

use super::*;

fn to_yaml(config: &Config) -> String {
    serde_yaml::to_string(config).expect("a site file can be written")
}

pub(super) fn parse(text: &str, variables: &[(&str, &str)]) -> Result<(Config, Origin), Error> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(Path::new("kentai.yaml"), text, &variables)
}

#[test]
fn the_sample_file_is_read_and_says_the_defaults() {
    let (sample, _) = parse(SAMPLE, &[]).expect("the sample is a good site file");
    let defaults = Config { site: sample.site.clone(), ..Config::default() };
    assert_eq!(to_yaml(&sample), to_yaml(&defaults));
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let error = parse("site: a\nlimits:\n  cpu: 3\n", &[]).expect_err("cpu is no key").to_string();
    assert!(error.contains("cpu") && error.contains("line 3"), "{error}");
}

#[test]
fn a_variable_goes_over_the_file() {
    let (config, origin) = parse("limits: { cpus: 3 }", &[("KENTAI_LIMITS_CPUS", "5")]).expect("good");
    assert_eq!(config.limits.cpus, 5);
    assert_eq!(origin.of("limits.cpus"), "KENTAI_LIMITS_CPUS");
    assert_eq!(origin.of("site"), "default");
}

#[test]
fn a_zone_or_language_that_nobody_knows_is_refused() {
    assert!(parse("time_zone: Asia/Tokio", &[]).is_err());
    assert!(parse("time_zone: Asia/Tokyo", &[]).is_ok());
    assert!(parse("language: fr", &[]).is_err());
}

#[test]
fn lists_and_maps_say_where_they_came_from_too() {
    let (_, origin) = parse("people: []", &[]).expect("good");
    assert_eq!((origin.of("people"), origin.of("targets")), ("kentai.yaml", "default"));
}

#[test]
fn whoever_is_from_outside_says_from_where() {
    let person = |more: &str| parse(&format!("people: [ {{ user: \"7\", name: a, roles: [{more} }} ]"), &[]);
    assert!(person("institution], institution: H1").is_ok());
    assert!(person("data_center], data_center: D1").is_ok());
    assert!(person("institution]").is_err());
    assert!(person("data_center], institution: H1").is_err());
    assert!(person("operater]").is_err_and(|error| error.to_string().contains("operater")));
}

#[test]
fn an_executor_says_which_steps_it_takes_and_how_much_at_once() {
    let of = |text: &str| parse(&format!("executors: [ {text} ]"), &[]).map_err(|error| error.to_string());
    let (config, _) = of("{ name: a, kind: docker, labels: [large, fast_disk], only_labelled: true, \
                          caps: { steps: 3, cpus: 8, memory: 4 GiB } }, { name: b, kind: process }")
    .expect("good");
    let [a, b] = config.executors.as_slice() else { panic!("two") };
    assert_eq!((a.labels.len(), a.only_labelled, a.caps.steps, a.caps.cpus), (2, true, 3, 8));
    assert_eq!((a.caps.memory, b.labels.len(), b.caps.memory), (Size(4 << 30), 0, Size(0)));
    for (text, place, remedy) in [
        ("{ name: a, kind: lorry }", "`a`", "docker, process, slurm and pretend"),
        ("{ name: a, kind: docker, labels: [Large] }", "`a`", "a-z"),
        ("{ name: a, kind: docker, only_labelled: true }", "`a`", "name labels"),
        ("{ name: a, kind: docker }, { name: a, kind: process }", "`a`", "give each its own"),
        ("{ name: \"\", kind: docker }", "executors", "name"),
        ("{ name: a, kind: docker, caps: { slots: 3 } }", "slots", "unknown field"),
    ] {
        let error = of(text).expect_err(text);
        assert!(error.contains(place) && error.contains(remedy), "{text}: {error}");
    }
}

#[test]
fn a_cluster_has_the_keys_of_its_kind_and_the_others_have_none_of_them() {
    let with = |executor: &str| {
        parse(&format!("executors: [{executor}]\nplaces: {{ work: {{ path: /w, visibility_wait: 2m }} }}"), &[])
    };
    let all = "{ name: hpc, kind: slurm, shared: work, partition: p, account: a, qos: q, constraint: c, \
               arguments: [--exclusive=user], modules: [podman/4], runtime: podman, images: /i, commands: /c, \
               environment: { A: b }, accounting: true }";
    let (config, _) = with(all).expect("good");
    assert!(config.executors[0].runs_images() && config.executors[0].is_elsewhere());
    assert_eq!(config.places["work"].visibility_wait.0, 120);
    let (config, _) = with("{ name: hpc, kind: slurm, shared: work }").expect("good");
    assert!(!config.executors[0].runs_images(), "without a runtime tools are the nodes' own");
    for (wrong, said) in [
        ("{ name: hpc, kind: slurm }", "shared"),
        ("{ name: hpc, kind: slurm, shared: work, runtime: lxc }", "apptainer"),
        ("{ name: d, kind: docker, partition: p }", "`partition` is for the kind slurm"),
        ("{ name: p, kind: process, runtime: podman }", "`runtime` is for the kind slurm"),
    ] {
        let error = with(wrong).expect_err(wrong).to_string();
        assert!(error.contains(said), "{wrong}: {error}");
    }
}

#[test]
fn tools_never_run_as_user_zero() {
    assert!(parse("tasks: { uid: 0 }", &[]).is_err());
}

#[test]
fn a_network_is_served_with_tls_or_with_a_word() {
    let door = |text: &str| parse(&format!("serve: [ {{ {text} }} ]"), &[]);
    let tls = "tls: { certificate: a, key: b }";
    assert!(door(&format!("listen: \"0.0.0.0:8443\", {tls}")).is_ok());
    assert!(door("listen: \"127.0.0.1:8080\"").is_ok());
    assert!(door("listen: \"[::1]:8080\"").is_ok());
    assert!(door("listen: \"0.0.0.0:8080\"").is_err_and(|error| error.to_string().contains("plain: allowed")));
    assert!(door("listen: \"0.0.0.0:8080\", plain: allowed").is_ok());
    assert!(door("listen: \"127.0.0.1:8080\", plain: perhaps").is_err());
    assert!(door("listen: somewhere").is_err());
    let zero = door("listen: \"127.0.0.1:8080\", limits: { header: 0 }");
    assert!(zero.is_err_and(|error| error.to_string().contains("limits.header")));
    assert!(door("listen: \"127.0.0.1:8080\", limits: { rate: 0 }").is_ok());
}

#[test]
fn a_certificate_is_of_one_account() {
    let (digest, colons) = ("aB".repeat(32), ["AB"; 32].join(":"));
    let of = |digests: &[&str]| {
        let rows: Vec<String> =
            digests.iter().map(|digest| format!("- {{ sha256: \"{digest}\", person: p }}")).collect();
        parse(&format!("client_certificates:\n{}", rows.join("\n")), &[])
    };
    let (config, _) = of(&[&digest]).expect("good");
    assert_eq!(config.client_certificates[0].digest(), "ab".repeat(32));
    assert!(of(&[&digest, &colons]).is_err_and(|error| error.to_string().contains("twice")));
    assert!(of(&["ab"]).is_err());
    assert!(of(&[&"xy".repeat(32)]).is_err());
}

#[test]
fn a_door_that_says_nothing_has_the_bounds_that_the_sample_names() {
    // Written out by hand in the sample, as a comment: held against what is so.
    let commented: String = SAMPLE
        .lines()
        .skip_while(|line| !line.starts_with("# - listen"))
        .take_while(|line| line.starts_with('#'))
        .map(|line| format!("{}\n", &line[1..]))
        .collect();
    let (said, _) = parse(&format!("serve:\n{commented}"), &[]).expect("the sample's door is a good one");
    let (unsaid, _) = parse("serve: [ { listen: \"0.0.0.0:8443\", plain: allowed } ]", &[]).expect("good");
    assert_eq!(said.serve[0].limits.of_door(), unsaid.serve[0].limits.of_door());
    assert_eq!(said.serve[0].limits.of_door(), kentai_web::listen::Limits::default());
}

/// A site file with these notices and this relay, and the secrets `a` and `b`.
fn noticed(notices: &str, mail: &str) -> Result<(), String> {
    let text =
        format!("notices: {{ {notices} }}\nmail: {{ {mail} }}\nsecrets: {{ a: {{ file: a }}, b: {{ file: b }} }}\n");
    parse(&text, &[]).map(drop).map_err(|error| error.to_string())
}

#[test]
fn notices_are_read_as_the_sample_shows_them() {
    let commented = SAMPLE.lines().skip_while(|line| *line != "# notices:").take_while(|line| line.starts_with('#'));
    let text: String = commented.map(|line| format!("{}\n", &line[2..])).collect();
    let secrets = "secrets: { hook_new: { file: a }, hook_old: { file: b } }\n";
    let mail = "mail: { server: relay.example, from: kentai@center.example }\n";
    let (config, origin) = parse(&format!("{text}{mail}{secrets}"), &[]).expect("as the sample says");
    assert_eq!(config.notices["biobank"].len(), 2);
    assert_eq!(secrets_of_notices(&config).collect::<Vec<_>>(), ["hook_new", "hook_old"]);
    assert_eq!((origin.of("notices"), origin.of("mail.port")), ("kentai.yaml", "default"));
}

#[test]
fn notices_that_could_not_be_sent_or_would_lead_inside_are_refused_with_place_and_remedy() {
    let hook = |url: &str, more: &str| format!("biobank: [ {{ kind: webhook, url: \"{url}\", {more} }} ]");
    let relay = "server: relay.example, from: k@center.example";
    for (notices, mail, place, remedy) in [
        (hook("http://hooks.example/", "secrets: [a]"), "", "notices.biobank", "https"),
        (hook("https://10.0.0.1/", "secrets: [a]"), "", "notices.biobank", "allow_private"),
        (hook("https://x.example/?k=1", "secrets: [a]"), "", "notices.biobank", "leave out"),
        (hook("https://x.example/", "secrets: []"), "", "notices.biobank", "newest first"),
        (hook("https://x.example/", "secrets: [a, b, a, b]"), "", "notices.biobank", "newest first"),
        (hook("https://x.example/", "secrets: [c]"), "", "notices.biobank", "`c`"),
        (hook("https://x.example/", "secrets: [a], secret: b"), "", "secret", "unknown field"),
        ("biobank: [ { kind: fax, to: x } ]".into(), "", "fax", "webhook"),
        ("biobank: [ { kind: mail, to: a@b.example } ]".into(), "", "notices.biobank", "mail.server"),
        ("biobank: [ { kind: mail, to: \"a b\" } ]".into(), relay, "notices.biobank", "no mail address"),
        ("\"\": []".into(), "", "notices", "names whom"),
        (String::new(), "server: relay.example", "mail.from", "no mail address"),
        (String::new(), "from: k@center.example", "mail.from", "mail.server"),
        (String::new(), "server: r.example, from: k@c.example, tls: maybe", "mail.tls", "starttls"),
        (String::new(), "server: r.example, from: k@c.example, tls: none", "mail.tls", "this machine"),
        (String::new(), "server: r.example, from: k@c.example, user: u", "mail.user", "mail.secret"),
        (String::new(), "server: r.example, from: k@c.example, secret: a", "mail.secret", "mail.user"),
        (String::new(), "server: r.example, from: k@c.example, user: u, secret: c", "mail.secret", "`c`"),
        (String::new(), "server: localhost, from: k@c.example, tls: none, user: u, secret: a", "mail.tls", "leave out"),
        (String::new(), "server: r.example, from: k@c.example, port: 0", "mail.port", "587"),
    ] {
        let said = noticed(&notices, mail).expect_err(&notices);
        assert!(said.contains(place) && said.contains(remedy), "{notices} {mail}: {said}");
    }
    assert_eq!(noticed(&hook("https://x.example/", "secrets: [a, b]"), relay), Ok(()));
    assert_eq!(
        noticed("\"*\": [ { kind: mail, to: a@b.example } ]", "server: localhost, from: k@c.example, tls: none"),
        Ok(())
    );
}

#[test]
fn a_target_has_the_keys_of_its_kind_and_no_others() {
    let target = |more: &str| parse(&format!("targets: {{ dc: {{ {more} }} }}"), &[]).map(drop);
    let said = |more: &str| target(more).expect_err("refused").to_string();
    let bucket = "kind: s3, endpoint: \"https://s3.example.org\", bucket: inbox, credentials: dc";
    let server = "kind: sftp, host: inbox.example.org, user: center, path: /inbox, known_hosts: keys/dc";
    assert!(target(bucket).is_ok() && target(&format!("{server}, key: dc")).is_ok());
    assert!(
        target(&format!("{bucket}, region: r, prefix: a/b, style: host, authorities: ca.pem, verify: read")).is_ok()
    );
    assert!(target(&format!("{server}, port: 2222, key: dc, password: dc2, verify: size")).is_ok());
    assert!(said(&bucket.replace(", bucket: inbox", "")).contains("needs `bucket:`"));
    assert!(said(&server.replace(", known_hosts: keys/dc", ", key: dc")).contains("needs `known_hosts:`"));
    assert!(said(server).contains("needs `key:` or `password:`"));
    assert!(said(&format!("{bucket}, path: out")).contains("has no `path:`"));
    assert!(said(&format!("{bucket}, known_hosts: keys/dc")).contains("has no `known_hosts:`"));
    assert!(said("kind: directory, path: out, bucket: inbox").contains("has no `bucket:`"));
    assert!(said("kind: pull, path: out").contains("the receiver fetches it"));
    assert!(said(&format!("{bucket}, verify: size")).contains("checksums or read"));
    assert!(said(&format!("{server}, key: dc, verify: checksums")).contains("read or size"));
    assert!(said(&format!("{bucket}, style: virtual")).contains("path or host"));
    assert!(target("kind: pull, retain: { after_receipt: 90d }").is_ok());
    assert!(said("kind: pull, retain: { after_receipt: 90d, copies: 1 }").contains("2 at least"));
    assert!(said("kind: pull, retain: { copies: 2 }").contains("after_receipt"));
    assert!(said("kind: ftp").contains("directory, pull, s3, sftp"));
    // How it is encrypted and for which use is independent of the way.
    assert!(target(&format!("{bucket}, encrypt: crypt4gh, recipient: keys/dc.pub, consent_use: research")).is_ok());
    assert!(said(&format!("{bucket}, encrypt: crypt4gh")).contains("`recipient:`"));
}

/// A site with somebody else who says who people are; `more`: further keys, which go over those before.
fn elsewhere(issuer: &str, page: &str, more: &str) -> Result<(Config, Origin), Error> {
    parse(
        &format!(
            "serve: [ {{ listen: \"127.0.0.1:8443\", page: \"{page}\" }} ]\nsecrets: {{ sso: {{ file: sso }} }}\n\
             sign_in: {{ oidc: {{ issuer: \"{issuer}\", client_id: kentai, label: {{ en: x, ja: y }}{more} }} }}"
        ),
        &[],
    )
}

#[test]
#[cfg(not(feature = "oidc"))]
fn a_plain_build_says_how_one_is_built_that_asks_somebody_else() {
    let error = elsewhere("https://login.example", "https://kentai.example", "").expect_err("it cannot").to_string();
    assert!(error.contains("without single sign-on") && error.contains("--features oidc"), "{error}");
}

#[test]
#[cfg(feature = "oidc")]
fn somebody_else_is_asked_over_tls_by_a_claim_that_is_known_and_leads_back_to_an_address_of_the_page() {
    let good = |more: &str| elsewhere("https://login.example", "https://kentai.example", more);
    assert!(good("").is_ok() && good(", claim: email, secret: sso").is_ok());
    assert!(elsewhere("http://localhost:9400", "http://127.0.0.1:8443", "").is_ok(), "on this machine");
    let said = |result: Result<(Config, Origin), Error>| result.expect_err("it cannot").to_string();
    for (result, words) in [
        (elsewhere("http://login.example", "https://kentai.example", ""), "use https"),
        (elsewhere("https://u:p@login.example", "https://kentai.example", ""), "leave out user"),
        (elsewhere("login.example", "https://kentai.example", ""), "no address"),
        (elsewhere("https://login.example", "http://kentai.example", ""), "people come back"),
        (good(", claim: name"), "preferred_username"),
        (good(", secret: other"), "no secret `other`"),
        (good(", scope: x"), "scope"),
        (
            parse("sign_in: { oidc: { issuer: \"https://a.example\", client_id: a, label: { en: x, ja: y } } }", &[]),
            "serve:",
        ),
        (parse("sign_in: { oidc: { issuer: \"https://a.example\", client_id: a, label: { en: x } } }", &[]), "ja"),
    ] {
        let error = said(result);
        assert!(error.contains(words), "{words}: {error}");
    }
    let (_, origin) = good("").expect("good");
    assert_eq!(origin.of("sign_in"), "kentai.yaml");
}
