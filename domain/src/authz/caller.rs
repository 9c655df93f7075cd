//! Who asks, when, from where: what every scope is entered with.

use jiff::SignedDuration;

use crate::{Error, Instant, Result, identity::sessions::TokenHash, ids::UserId};

/// How long a proof of identity lasts (AC-24).
const PROOF_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// Where a request came from, for the audit and the lists of sessions and logins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; empty for a command on the machine itself.
    pub ip: String,
    /// "Firefox on Windows", at most 100 characters.
    pub device: String,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account behind the session. Whether it may do anything is for the scopes to find out.
    pub user: Option<UserId>,
    /// When the request began.
    pub now: Instant,
    /// From where.
    pub origin: Origin,
    /// The session it came by.
    pub session: Option<TokenHash>,
    /// The super-admin who acts as `user` (TN-12).
    pub impersonator: Option<UserId>,
    /// When the user last proved who they are in this session.
    pub proven_at: Option<Instant>,
}

/// That the one who asks has proved a short while ago who they are. Sensitive services take one (AC-24).
#[derive(Debug)]
pub struct Proof(());

impl Caller {
    /// Someone who isn't signed in, or a command given on the machine.
    pub fn visitor(now: Instant) -> Self {
        Self {
            user: None,
            now,
            origin: Origin::default(),
            session: None,
            impersonator: None,
            proven_at: None,
        }
    }

    /// The proof, when it is fresh.
    ///
    /// # Errors
    /// [`Error::ProofNeeded`]; [`Error::Forbidden`] for someone who acts as another, who can't prove to be them.
    pub fn proof(&self) -> Result<Proof> {
        if self.impersonator.is_some() {
            return Err(Error::Forbidden("This is for the account's owner alone."));
        }
        match self.proven_at {
            Some(at) if self.now.duration_since(at) < PROOF_LIFE => Ok(Proof(())),
            _ => Err(Error::ProofNeeded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_lasts_a_quarter_of_an_hour_and_is_ones_own() {
        let now: Instant = "2027-01-12T07:30:00Z".parse().unwrap();
        let proved = |minutes| {
            let at = now - SignedDuration::from_mins(minutes);
            Caller { proven_at: Some(at), ..Caller::visitor(now) }
        };
        assert!(proved(14).proof().is_ok());
        assert!(matches!(proved(15).proof(), Err(Error::ProofNeeded)));
        assert!(matches!(Caller::visitor(now).proof(), Err(Error::ProofNeeded)));
        let other = Caller { impersonator: Some(UserId::new(now)), ..proved(1) };
        assert!(matches!(other.proof(), Err(Error::Forbidden(_))));
    }
}
