//! What the desk last knew of the appointments (R6, R31), changed in the same transaction as the history.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::column::{day_text, micros};
use super::work::Work;
use crate::desk::address::Address;
use crate::desk::appointments::{Listed, Roll};
use crate::desk::people::{Representative, Role};

impl Work {
    /// What the desk last knew; none if it has never looked.
    ///
    /// # Errors
    /// The database can't be read, or holds what this program would not have written.
    pub async fn roll(&mut self) -> Result<Option<Roll>> {
        self.flush().await?;
        let taken = sqlx::query("SELECT taken_us FROM roll")
            .fetch_optional(self.connection())
            .await?;
        if taken.is_none() {
            return Ok(None);
        }
        let rows = sqlx::query(
            "SELECT installation, customer, role, name, address, phone, since, until FROM appointments ORDER BY installation, place",
        )
        .fetch_all(self.connection())
        .await?;
        let mut roll = Roll::default();
        for row in &rows {
            let (installation, customer): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            roll.add(&installation, &customer, person(row)?);
        }
        Ok(Some(roll))
    }

    /// Keeps what the desk knows from now on; `old` is what [`Work::roll`] gave. The write lock must be held: see
    /// [`super::pool::Store::begin`].
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_roll(&mut self, old: &Roll, new: &Roll, now: DateTime<Utc>) -> Result<()> {
        self.flush().await?;
        sqlx::query("INSERT INTO roll (one, taken_us) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET taken_us = excluded.taken_us")
            .bind(micros(now))
            .execute(self.connection())
            .await?;
        let ids: BTreeSet<&str> = old
            .installations()
            .chain(new.installations())
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            if old.installation(id) != new.installation(id) {
                self.set_installation(id, new.installation(id)).await?;
            }
        }
        Ok(())
    }

    async fn set_installation(&mut self, id: &str, listed: Option<&Listed>) -> Result<()> {
        sqlx::query("DELETE FROM appointments WHERE installation = $1")
            .bind(id)
            .execute(self.connection())
            .await?;
        let Some(listed) = listed else { return Ok(()) };
        for (place, person) in listed.representatives.iter().enumerate() {
            sqlx::query(
                "INSERT INTO appointments (installation, place, customer, role, name, address, phone, since, until) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(id)
            .bind(i64::try_from(place)?)
            .bind(&listed.customer)
            .bind(person.role.word())
            .bind(&person.name)
            .bind(person.address.to_string())
            .bind(person.phone.as_deref())
            .bind(day_text(person.since))
            .bind(person.until.map(day_text))
            .execute(self.connection())
            .await?;
        }
        Ok(())
    }
}

fn person(row: &AnyRow) -> Result<Representative> {
    let role: String = row.try_get(2)?;
    let address: String = row.try_get(4)?;
    let since: String = row.try_get(6)?;
    let until: Option<String> = row.try_get(7)?;
    let day = |text: &str| -> Result<NaiveDate> {
        text.parse()
            .with_context(|| format!("The database holds {text} where a day should be"))
    };
    Ok(Representative {
        role: Role::read(&role).with_context(|| format!("The database holds the role {role}"))?,
        name: row.try_get(3)?,
        address: Address::new(&address)
            .map_err(|why| anyhow::anyhow!("The database holds an address that is {why}"))?,
        phone: row.try_get(5)?,
        since: day(&since)?,
        until: until.as_deref().map(day).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]
    use super::*;
    use crate::desk::appointments::{Change, What, changes};
    use crate::desk::decide::{Concern, Verdict};
    use crate::desk::event::Event;
    use crate::store::history::ChainState;
    use crate::store::testing::{apply, decision, minute, on_each_engine};

    fn roll(people: &[(&str, Role, Option<&str>)]) -> Roll {
        let mut roll = Roll::default();
        for (local, role, until) in people {
            let person = Representative {
                role: *role,
                name: format!("Имя {local}"),
                address: Address::new(&format!("{local}@raduga.example")).unwrap(),
                phone: until.is_none().then(|| "+7 900".to_owned()),
                since: "2026-01-01".parse().unwrap(),
                until: until.map(|u| u.parse().unwrap()),
            };
            roll.add(&format!("of-{local}"), "raduga", person.clone());
            roll.add("of-all", "raduga", person);
        }
        roll
    }

    #[tokio::test]
    async fn what_was_known_is_read_back_and_nothing_was_before() {
        on_each_engine(async |db| {
            let first = roll(&[
                ("maria", Role::Primary, Some("2026-09-06")),
                ("oleg", Role::Additional, None),
                ("elena", Role::Contract, None),
            ]);
            let second = roll(&[
                ("oleg", Role::Primary, None),
                ("nina", Role::Additional, None),
            ]);
            let mut old = Roll::default();
            for (at, new) in [first, Roll::default(), second].into_iter().enumerate() {
                let mut work = db.store.begin().await.unwrap();
                assert_eq!(work.roll().await.unwrap(), (at > 0).then(|| old.clone()));
                work.set_roll(&old, &new, minute(1)).await.unwrap();
                assert_eq!(work.roll().await.unwrap().as_ref(), Some(&new));
                work.commit().await.unwrap();
                old = new;
            }
        })
        .await;
    }

    /// The history and what the desk knows change together or not at all.
    #[tokio::test]
    async fn a_change_and_its_entry_are_one() {
        on_each_engine(async |db| {
            let (old, new) = (Roll::default(), roll(&[("maria", Role::Primary, None)]));
            let found: Vec<Change> = changes(&old, &new);
            assert!(
                found
                    .iter()
                    .all(|c| c.what == What::Appointed { after: None })
            );
            let events: Vec<Event> = found.into_iter().map(Event::Appointment).collect();
            let decided = decision(Verdict::Attached, Concern::Nothing, events);
            for commits in [false, true] {
                let mut work = db.store.begin().await.unwrap();
                apply(&mut work, None, &decided, minute(1)).await;
                work.set_roll(&old, &new, minute(1)).await.unwrap();
                if commits {
                    work.commit().await.unwrap();
                } else {
                    drop(work);
                }
                let history = db.store.history_of_the_desk().await.unwrap();
                assert_eq!(history.len(), if commits { 2 } else { 0 });
                let known = db.store.begin().await.unwrap().roll().await.unwrap();
                assert_eq!(known, commits.then(|| new.clone()));
            }
            let history = db.store.history_of_the_desk().await.unwrap();
            assert_eq!(history[0].word, "appointed");
            assert!(history[0].data.contains("maria@raduga.example"));
            let chain = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(chain, ChainState::Whole { entries: 2, .. }),
                "{chain:?}"
            );
        })
        .await;
    }
}
