//! Engines beside and after one another: a second one, one that falls, one that finds that time has passed.

use anyhow::{Context, Result, bail};
use kentai_engine::scheduler::{Running, start};

use super::{House, PATIENCE};

impl House {
    /// Tries to start another engine on the same directory.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn second(&self) -> Result<Running> {
        Ok(start(self.options()?).await?)
    }

    /// Waits until the engine ends by itself; gives why.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn fall(&mut self) -> Result<kentai_engine::scheduler::Error> {
        let mut running = self.running.take().context("no engine runs")?;
        match tokio::time::timeout(PATIENCE, running.ended()).await? {
            Ok(()) => bail!("the engine ended without an error"),
            Err(error) => Ok(error),
        }
    }

    /// Stops the engine, lets every wait and every term of the site be over, and starts it.
    ///
    /// # Errors
    /// When the database cannot be written or the engine not be started.
    pub async fn let_time_pass(&mut self) -> Result<()> {
        self.stop().await?;
        self.sql(
            "update step set detail = json_set(detail, '$.not_before_us', 1)
              where json_extract(detail, '$.not_before_us') is not null;
             update step set detail = json_set(detail, '$.ask.expires_us', 1)
              where json_extract(detail, '$.ask.expires_us') is not null;",
        )?;
        self.start().await
    }
}
