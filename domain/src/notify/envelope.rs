//! What a courier is given: a row of the outbox with its link and its mail server, decrypted.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Envelope, Mail, Security, SendError, SmtpSettings,
    outbox::{self, Claimed},
    too_late,
};
use crate::{Error, Instant, Result, vault::Vault};

/// Makes a row of the outbox whole again.
pub(super) fn envelope(
    vault: &Vault,
    configured: bool,
    now: Instant,
    claimed: Claimed,
) -> Result<Envelope, SendError> {
    let refused = |why: &str| SendError::Refused(why.to_owned());
    if claimed.school_status.as_deref() == Some("deleted") {
        return Err(refused("The school was deleted."));
    }
    if claimed.valid_until.is_some_and(|until| until.to_jiff() <= now) {
        return Err(refused(too_late(&claimed.kind)));
    }
    let mail: Mail =
        serde_json::from_value(claimed.data).map_err(|_| refused("The message can't be read any more."))?;
    let open = |secret: String| {
        vault.open(outbox::SECRET, claimed.id, &secret).map_err(|error| {
            tracing::warn!(%error, mail = %claimed.id, "could not decrypt a token");
            SendError::Later("Its link can't be decrypted.".into())
        })
    };
    let token = claimed.secret.map(open).transpose()?;
    if token.is_none() && mail.needs_token() {
        return Err(refused("Its link is gone."));
    }
    let own = match (claimed.host, claimed.port, claimed.security, claimed.from_email) {
        // Whoever reads a link can make a verified account for the address, so a school's server sees none.
        _ if mail.needs_token() && configured => None,
        (Some(host), Some(port), Some(security), Some(from_email)) => {
            let login = (claimed.username.unwrap_or_default(), claimed.password);
            let from = (from_email, claimed.from_name.unwrap_or_default());
            let server = own_server(vault, claimed.tenant_id, (host, port, security), login, from);
            Some(server.map_err(|error| {
                tracing::warn!(%error, tenant = %claimed.tenant_id, "could not read a school's mail server");
                SendError::Later("The password of the school's mail server can't be decrypted.".into())
            })?)
        }
        _ => None,
    };
    Ok(Envelope {
        id: claimed.id,
        tenant: claimed.tenant_id,
        school: claimed.school,
        to: claimed.recipient,
        mail,
        token,
        created_at: claimed.created_at.to_jiff(),
        own,
    })
}

/// A school's own mail server, as `tenant_mail` has it.
pub(super) fn own_server(
    vault: &Vault,
    tenant: Uuid,
    (host, port, security): (String, i32, String),
    (username, password): (String, Option<String>),
    (from_email, from_name): (String, String),
) -> Result<SmtpSettings> {
    let password = password.map(|sealed| vault.open("tenant_mail.password", tenant, &sealed)).transpose()?;
    Ok(SmtpSettings {
        host,
        port: u16::try_from(port).map_err(Error::internal)?,
        security: Security::parse(&security).ok_or_else(|| Error::internal("unknown security"))?,
        username,
        password: password.map(SecretString::from),
        from_email,
        from_name,
    })
}
