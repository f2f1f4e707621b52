//! One package, from its offer to its folder: under way beside its place, and in its place only when all of it is right.
//!
//! Whatever is cut at any moment is continued by the next call: nothing here is remembered that does not lie on the disk.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;

use jiff::Timestamp;
use kentai_engine::handoff::bag::MANIFEST_SHA256;
use kentai_engine::handoff::offer::{Detail, Entry};
use kentai_engine::handoff::sshsig;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, block_in_place};

use super::directory::{Directory, PACKAGES, PLAIN, PROGRESS, RECALLED, REPLACED};
use super::file::{self, Run};
use super::http::{Center, Trouble};
use super::measure::{self, Measured};
use super::meter::Meter;
use super::settings::Settings;
use super::state::{Pulled, State};
use super::verify::{self, Verified};
use super::{Failure, beneath};
use crate::exit::Exit;
use crate::output::Output;

/// How often an offer may change while it is pulled.
const ROUNDS_MAX: u32 = 5;
/// Left free beside what is pulled: other programs live on the disk too.
const SPARE_BYTES: u64 = 16 << 20;

/// How to pull.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Requests at a time.
    pub parallel: usize,
    /// Bytes of a piece of a file.
    pub piece_bytes: u64,
    /// Tries without a new byte.
    pub tries: u32,
    pub output: Output,
}

/// Pulls packages of one center into one directory.
pub(crate) struct Puller<'a> {
    pub directory: &'a Directory,
    pub center: &'a Arc<Center>,
    pub options: Options,
}

impl Puller<'_> {
    /// Pulls what is offered; the state says afterwards that it is here. `settings` change when the first signer is pinned.
    pub(crate) async fn pull(&self, settings: &mut Settings, state: &mut State) -> Result<Verified, Failure> {
        let delivery = state.offer.delivery.clone();
        let mut detail = self.detail(&delivery).await?;
        for _ in 0..ROUNDS_MAX {
            state.offer = detail.offer.clone();
            self.directory.save(state)?;
            self.check_folder(state)?;
            if let Some(verified) = block_in_place(|| self.adopt(settings, state, &detail))? {
                return Ok(verified);
            }
            let files = match self.fetch(settings, &detail).await {
                Err(Trouble::Replaced(path)) => {
                    let again = self.detail(&delivery).await?;
                    if again == detail {
                        let said = format!("`{path}` is offered with other bytes than are served");
                        return Err(Trouble::Odd(said).failure());
                    }
                    self.options
                        .output
                        .say(format!("{delivery} changed while it was pulled: what changed begins anew"));
                    detail = again;
                    continue;
                }
                other => other.map_err(Trouble::failure)?,
            };
            return block_in_place(|| self.finish(settings, state, &detail, files));
        }
        Err(Failure::new(Exit::Unreachable, format!("{delivery} changes faster than it can be pulled: try later")))
    }

    /// An offer with its files, checked, and open.
    pub(crate) async fn detail(&self, delivery: &str) -> Result<Detail, Failure> {
        let detail = self.center.patient_detail(self.options.tries, delivery).await?;
        let bad = |why: &dyn std::fmt::Display| {
            Failure::new(Exit::CheckFailed, format!("offer {delivery} cannot be taken: {why}; tell the center"))
        };
        detail.check().map_err(|wrong| bad(&wrong))?;
        if detail.offer.delivery != delivery {
            return Err(bad(&format!("it is offer {}", detail.offer.delivery)));
        }
        if !detail.offer.status.is_open() {
            let message = format!("{delivery} is {}: it cannot be pulled", detail.offer.status.word());
            return Err(Failure::new(Exit::State, message));
        }
        Ok(detail)
    }

    /// Is the folder another delivery's? One that this delivery takes the place of makes room.
    fn check_folder(&self, state: &State) -> Result<(), Failure> {
        let offer = &state.offer;
        let owner = self.directory.states()?.into_iter().find(|other| {
            let has_it = other.pulled.as_ref().is_some_and(|pulled| pulled.folder == offer.folder);
            has_it && !other.set_aside && other.offer.delivery != offer.delivery
        });
        match owner {
            Some(mut owner) if offer.supersedes.as_ref() == Some(&owner.offer.delivery) => {
                set_apart(self.directory, &owner, REPLACED)?;
                owner.set_aside = true;
                self.directory.save(&owner)
            }
            Some(owner) => {
                let message = format!(
                    "{} is offered as `{}`, and that is delivery {}: ask the center which one is meant",
                    offer.delivery, offer.folder, owner.offer.delivery
                );
                Err(Failure::new(Exit::CheckFailed, message))
            }
            None => Ok(()),
        }
    }

    /// A package that got its place in a call that was ended before it could say so.
    fn adopt(&self, settings: &mut Settings, state: &mut State, detail: &Detail) -> Result<Option<Verified>, Failure> {
        let packages = self.directory.folder(PACKAGES)?;
        let Ok(there) = beneath::directory(packages.as_fd(), &detail.offer.folder) else { return Ok(None) };
        let manifest = beneath::file(there.as_fd(), MANIFEST_SHA256).and_then(|file| measure::file(&file));
        if manifest.is_ok_and(|found| found.sha256 != detail.offer.manifest_sha256) {
            return Ok(None);
        }
        let signer = verify::signer(settings)?;
        let verified =
            verify::package(there.as_fd(), BTreeMap::new(), signer.as_ref(), &detail.offer, &detail.entries)?;
        self.record(settings, state, detail, &verified)?;
        Ok(Some(verified))
    }

    async fn fetch(&self, settings: &Settings, detail: &Detail) -> Result<BTreeMap<String, Measured>, Trouble> {
        let run = Arc::new(self.prepare(detail).map_err(Trouble::Here)?);
        let (payload, tags): (Vec<&Entry>, Vec<&Entry>) =
            detail.entries.iter().partition(|entry| entry.payload().is_some());
        let mut files = self.fetch_all(&run, tags).await?;
        // Who sent it is known before the first of many bytes is asked for.
        let signer = verify::signer(settings).map_err(Trouble::Here)?;
        verify::tags(run.partial.as_fd(), signer.as_ref(), &detail.offer, &detail.entries).map_err(Trouble::Here)?;
        files.extend(self.fetch_all(&run, payload).await?);
        Ok(files)
    }

    fn prepare(&self, detail: &Detail) -> Result<Run, Failure> {
        let disk = |error: io::Error| Failure::disk(&self.place(detail), &error);
        let packages = self.directory.folder(PACKAGES)?;
        let partial = beneath::make_directory(packages.as_fd(), &partial_name(detail)).map_err(disk)?;
        let progress = self.directory.folder(PROGRESS)?;
        let progress = beneath::make_directory(progress.as_fd(), &detail.offer.delivery).map_err(disk)?;
        let offered = detail.by_path();
        // What is left of an earlier issue is none of this package.
        beneath::sweep(partial.as_fd(), &|path| offered.contains_key(path)).map_err(disk)?;
        check_room(partial.as_fd(), detail.bytes()).map_err(disk)?;
        let meter = Meter::start(&detail.offer.folder, detail.bytes(), self.options.output);
        let Options { parallel, piece_bytes, tries, .. } = self.options;
        let limit = Semaphore::new(parallel);
        Ok(Run { center: Arc::clone(self.center), limit, meter, tries, piece_bytes, partial, progress })
    }

    async fn fetch_all(&self, run: &Arc<Run>, entries: Vec<&Entry>) -> Result<BTreeMap<String, Measured>, Trouble> {
        let mut files = BTreeMap::new();
        let mut tasks: JoinSet<Result<(String, Measured), Trouble>> = JoinSet::new();
        let mut waiting = entries.into_iter();
        loop {
            while tasks.len() < self.options.parallel
                && let Some(entry) = waiting.next()
            {
                let (run, entry) = (Arc::clone(run), entry.clone());
                tasks.spawn(async move { Ok((entry.path.clone(), file::fetch(&run, &entry).await?)) });
            }
            match tasks.join_next().await {
                None => return Ok(files),
                Some(ended) => files.extend([ended.map_err(|error| Trouble::Silent(error.to_string()))??]),
            }
        }
    }

    fn finish(
        &self,
        settings: &mut Settings,
        state: &mut State,
        detail: &Detail,
        files: BTreeMap<String, Measured>,
    ) -> Result<Verified, Failure> {
        let disk = |error: io::Error| Failure::disk(&self.place(detail), &error);
        let packages = self.directory.folder(PACKAGES)?;
        let (name, folder) = (partial_name(detail), &detail.offer.folder);
        let partial = beneath::directory(packages.as_fd(), &name).map_err(disk)?;
        let signer = verify::signer(settings)?;
        let verified = verify::package(partial.as_fd(), files, signer.as_ref(), &detail.offer, &detail.entries)?;
        beneath::sync_folders(partial.as_fd()).map_err(disk)?;
        // An earlier issue, wherever it lies; then whatever else stands in the place.
        if state.pulled.is_some() {
            set_apart(self.directory, state, REPLACED)?;
        }
        if beneath::is_there(packages.as_fd(), folder).map_err(disk)? {
            set_apart(self.directory, &State::new(detail.offer.clone()), REPLACED)?;
        }
        beneath::rename((packages.as_fd(), &name), (packages.as_fd(), folder)).map_err(disk)?;
        self.record(settings, state, detail, &verified)?;
        Ok(verified)
    }

    /// Writes down that it is here. Done again after a cut, it says the same.
    fn record(
        &self,
        settings: &mut Settings,
        state: &mut State,
        detail: &Detail,
        verified: &Verified,
    ) -> Result<(), Failure> {
        let signed_by = verified.signed_by.as_ref().map(sshsig::line);
        if settings.signer.is_none()
            && settings.trust_first
            && let Some(line) = &signed_by
        {
            self.options.output.say(format!("from now on packages must be signed by: {line}"));
            settings.signer = Some(line.clone());
            self.directory.save_settings(settings)?;
        }
        if signed_by.is_none() {
            self.options.output.say(format!("{} is not signed: nobody vouches for it", detail.offer.delivery));
        }
        state.pulled = Some(Pulled {
            at: Timestamp::now().to_string(),
            folder: detail.offer.folder.clone(),
            manifest_sha256: detail.offer.manifest_sha256.clone(),
            signed_by,
            entries: detail.entries.clone(),
        });
        self.directory.save(state)?;
        let progress = self.directory.folder(PROGRESS)?;
        beneath::remove_tree(progress.as_fd(), &detail.offer.delivery)
            .map_err(|error| Failure::disk(&self.directory.place(PROGRESS), &error))
    }

    fn place(&self, detail: &Detail) -> String {
        self.directory.place(&format!("{PACKAGES}/{}", partial_name(detail)))
    }
}

/// What the center took back is not left among what is used. May be called again.
pub(crate) fn recall(directory: &Directory, state: &mut State) -> Result<(), Failure> {
    set_apart(directory, state, RECALLED)?;
    state.set_aside = state.pulled.is_some();
    directory.save(state)
}

/// Moves a package, and what was decrypted of it, out of the way of those who use packages. Nothing is deleted.
fn set_apart(directory: &Directory, state: &State, to: &str) -> Result<(), Failure> {
    let target = directory.folder(to)?;
    let folder = state.pulled.as_ref().map_or(&state.offer.folder, |pulled| &pulled.folder);
    let partial = format!(".{folder}.partial");
    for (from, name) in [(PACKAGES, folder.as_str()), (PACKAGES, &partial), (PLAIN, folder.as_str()), (PLAIN, &partial)]
    {
        // A package under way that another takes the place of is used for it.
        if name == partial && to == REPLACED {
            continue;
        }
        let disk = |error: io::Error| Failure::disk(&directory.place(&format!("{from}/{name}")), &error);
        let source = directory.folder(from)?;
        if !beneath::is_there(source.as_fd(), name).map_err(disk)? {
            continue;
        }
        let mut number = 0;
        loop {
            let place = format!("{}.{}.{from}.{number}", name.trim_start_matches('.'), state.offer.delivery);
            if !beneath::is_there(target.as_fd(), &place).map_err(disk)? {
                beneath::rename((source.as_fd(), name), (target.as_fd(), &place)).map_err(disk)?;
                break;
            }
            number += 1;
        }
    }
    Ok(())
}

fn partial_name(detail: &Detail) -> String {
    format!(".{}.partial", detail.offer.folder)
}

/// Said before the first byte: a disk that fills up stops other programs too.
fn check_room(partial: BorrowedFd<'_>, wanted_bytes: u64) -> io::Result<()> {
    let mut have_bytes = 0_u64;
    beneath::visit(partial, &mut |folder, name, _, _| {
        let stat = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
        have_bytes += u64::try_from(stat.st_blocks).unwrap_or_default() * 512;
        Ok(())
    })?;
    let room = rustix::fs::fstatvfs(partial)?;
    let free_bytes = room.f_bavail.saturating_mul(room.f_frsize);
    let missing_bytes = wanted_bytes.saturating_sub(have_bytes);
    if missing_bytes.saturating_add(SPARE_BYTES) <= free_bytes {
        return Ok(());
    }
    let message = format!("{missing_bytes} bytes are to come, and {free_bytes} are free");
    Err(io::Error::new(io::ErrorKind::StorageFull, message))
}
