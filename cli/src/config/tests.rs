//! What the site file may say, and where values come from.

use super::*;

fn to_yaml(config: &Config) -> String {
    serde_yaml::to_string(config).expect("a site file can be written")
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<(Config, Origin), Error> {
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
fn tools_never_run_as_user_zero() {
    assert!(parse("tasks: { uid: 0 }", &[]).is_err());
}
