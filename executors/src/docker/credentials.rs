//! Sign-ins that an operator left with `docker login`. Only those kept in the file itself: no helper program is run.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::auth::DockerCredentials;
use serde::Deserialize;

/// Docker Hub's key in the file, for historical reasons.
const HUB: &str = "https://index.docker.io/v1/";

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: HashMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default, rename = "identitytoken")]
    identity_token: Option<String>,
}

/// The sign-in for an image's registry, if there is one.
pub(super) fn find(image: &str) -> Option<DockerCredentials> {
    let directory = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let directory = directory.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")))?;
    let text = std::fs::read(directory.join("config.json")).ok()?;
    find_in(&text, image)
}

fn find_in(text: &[u8], image: &str) -> Option<DockerCredentials> {
    let mut file: File = serde_json::from_slice(text).ok()?;
    let registry = registry(image);
    let keys = if registry == "docker.io" {
        vec![HUB.to_owned(), registry.to_owned()]
    } else {
        vec![registry.to_owned(), format!("https://{registry}")]
    };
    let entry = keys.iter().find_map(|key| file.auths.remove(key))?;
    let decoded = String::from_utf8(decode(&entry.auth)?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(DockerCredentials {
        username: Some(username.to_owned()),
        password: Some(password.trim_end_matches('\0').to_owned()),
        identitytoken: entry.identity_token,
        serveraddress: Some(if registry == "docker.io" { HUB } else { registry }.to_owned()),
        ..DockerCredentials::default()
    })
}

/// The part before the first slash, if it looks like a host.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// Base64 (RFC 4648, section 4).
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_found_by_the_registry_of_the_image() {
        let text = br#"{"auths": {"registry.example:5000": {"auth": "dXNlcjpwYXNzOndvcmQ="},
                                  "https://index.docker.io/v1/": {"auth": "aHViOng="}}, "credsStore": "other"}"#;
        let found = find_in(text, "registry.example:5000/tools/bwa:1").expect("found");
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("user"), Some("pass:word")));
        assert_eq!(find_in(text, "library/ubuntu").expect("found").username.as_deref(), Some("hub"));
        assert!(find_in(text, "quay.io/bwa").is_none());
        assert!(find_in(b"{", "ubuntu").is_none());
    }
}
