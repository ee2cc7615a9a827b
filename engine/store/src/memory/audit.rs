use async_trait::async_trait;
use shipway_core::audit::{Act, Filter, Policy, Record, Share};
use shipway_core::ports::store::{Audit, StoreError};

use super::{MemoryStore, State};
use crate::rules;

#[async_trait]
impl Audit for MemoryStore {
    async fn record(&self, act: &Act, policy: &Policy) -> Result<(), StoreError> {
        let mut state = self.state();
        let number = state.audit.last().map_or(1, |last| last.number + 1);
        let act = act.clone();
        let at = act.at;
        state.audit.push(Record { number, act });
        if rules::cuts_back(number) {
            state
                .audit
                .retain(|record| record.act.at.later(policy.age) >= at);
            state.cut_back(Share::Done, policy);
            state.cut_back(Share::Refused, policy);
        }
        Ok(())
    }

    async fn audit(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        let most = usize::try_from(rules::page(filter.limit)).unwrap_or(usize::MAX);
        let state = self.state();
        let newest_first = state.audit.iter().rev();
        let fitting = newest_first.filter(|record| filter.fits(record));
        Ok(fitting.take(most).cloned().collect())
    }
}

impl State {
    fn cut_back(&mut self, share: Share, policy: &Policy) {
        let most = usize::try_from(policy.newest_of(share)).unwrap_or(usize::MAX);
        let all = self
            .audit
            .iter()
            .filter(|record| record.act.share() == share);
        let mut too_many = all.count().saturating_sub(most);
        self.audit.retain(|record| {
            let goes = too_many > 0 && record.act.share() == share;
            too_many -= usize::from(goes);
            !goes
        });
    }
}
