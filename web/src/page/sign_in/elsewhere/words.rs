//! Words of signing in with an account elsewhere. `{provider}` is what the site calls it.

use crate::page::bilingual::bilingual;

bilingual! {
    away: "No answer from “{provider}”. Sign in with a name and password of this site, or try again in a little while.", "「{provider}」から応答がありません。このサイトの名前とパスワードでサインインするか、しばらくしてからやり直してください。";
    not_on_the_way: "This way in was used already, was begun in another browser, or took longer than ten minutes. Begin again.", "このサインインは使用済みか、別のブラウザーで始められたか、10分を過ぎています。最初からやり直してください。";
    provider_refused: "“{provider}” did not sign you in.", "「{provider}」でサインインできませんでした。";
    not_believed: "What came from “{provider}” cannot be trusted, and nobody was signed in. The audit log has the reason.", "「{provider}」からの応答を信頼できないため、サインインしませんでした。理由は監査記録にあります。";
    nobody: "You are known to “{provider}”, but no active account here is linked to you. Whoever manages people here links it, with this: {claim} = {value}", "「{provider}」では確認できましたが、連携された有効なアカウントがここにありません。アカウントの管理者に次の値の連携を依頼してください： {claim} = {value}";
    code_title: "One more step", "もう一段階の確認";
    code_says: "Your account here asks for a one-time code, too.", "このサイトのアカウントにはワンタイムコードも必要です。";
    code_wrong: "The code is wrong, or there were too many tries: wait a quarter of an hour.", "コードが違うか、試行回数が多すぎます。15分待ってください。";
}
