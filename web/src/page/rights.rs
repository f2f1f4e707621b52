//! Who may do what, in words: what stands where a button would be that is not for whoever looks.

use kentai_engine::people::permission::Action;

use super::shell::Shell;

/// `operator or reviewer`, `運用担当・QC審査者`
pub(super) fn who_may(action: Action, shell: &Shell) -> String {
    let roles: Vec<&str> = action.roles().iter().map(|role| shell.words.role(role.word())).collect();
    roles.join(shell.say.pick(" or ", "・"))
}
