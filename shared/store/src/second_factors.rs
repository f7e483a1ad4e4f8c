//! Second factors: set up, turned on and off by their user.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use auth::{Keyring, PasswordAttempt, RecoveryCode, SessionToken, TotpCode, TotpSecret};
use contract::{Code, Error, Problems, Time};

use crate::Store;
use crate::author::Author;
use crate::change::{Change, Outcome};
use crate::dynamo::{Item, get_text, must, must_parse, number, text};
use crate::grant::{Create, Delete, Update, granted};
use crate::keys;
use crate::login_attempts::{self, LoginError};
use crate::passwords::{self, Confirmed};
use crate::retry::{Step, update_with_retry};
use crate::second_factor_check::{RECOVERY_CODES, code_name, open, seal_context};
use crate::sessions::{self, SessionCredential};
use crate::users::UserCard;

/// How long a secret waits for its first code.
const PENDING: Duration = Duration::from_secs(15 * 60);

/// The second factor of the user whose session asks.
pub struct SecondFactors<A> {
    store: Store,
    author: Arc<Author>,
    access: PhantomData<A>,
}

granted! {
    SecondFactors<Create> {
        Main BatchGetItem [User, Password];
        Main ConditionCheckItem [User];
        Main UpdateItem [SecondFactor];
        Log ConditionCheckItem [User];
        Log BatchGetItem [Email];
        Log UpdateItem [Email];
        Log PutItem [Email];
        Log DeleteItem [Email];
    }
    SecondFactors<Update> {
        Main BatchGetItem [User, SecondFactor];
        Main UpdateItem [User];
        Main PutItem [SecondFactor];
        Log PutItem [User];
        Log DeleteItem [User];
    }
    SecondFactors<Delete> {
        Main BatchGetItem [User, Password];
        Main UpdateItem [User];
        Main DeleteItem [SecondFactor];
        Log ConditionCheckItem [User];
        Log BatchGetItem [Email];
        Log UpdateItem [Email];
        Log PutItem [Email];
        Log DeleteItem [Email];
    }
}

impl<A> SecondFactors<A> {
    /// Of a request that came with a session.
    #[must_use]
    pub fn open(store: &Store, author: Arc<Author>) -> Self {
        Self { store: store.clone(), author, access: PhantomData }
    }
}

impl SecondFactors<Create> {
    /// Makes a secret, which is in force once a code of it is confirmed. A factor that is in force stays so until then.
    ///
    /// # Errors
    /// `invalid_credentials` for a wrong password, which counts towards the lock.
    pub async fn start(
        &self,
        asking: &SessionCredential,
        password: PasswordAttempt,
        ring: &Keyring,
    ) -> Result<TotpSecret, LoginError> {
        let (store, author, user) = (&self.store, &self.author, asking.user_id());
        passwords::confirm(store, asking, password, author.at()).await?;
        let secret = TotpSecret::generate();
        let sealed = ring.seal(&seal_context(user), &secret.to_base32()).map_err(Error::internal)?;
        let pending = Change::update(keys::second_factor(user))
            .set("pending", text(sealed))
            .set("pendingUntil", text(author.at().plus(PENDING).to_string()));
        let event = author.event_of_this_try();
        let changes = [login_attempts::succeeded(&asking.user.email, author.at()), pending];
        let changes = changes.into_iter().chain(asking.goes_on()).map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(secret),
            Outcome::Stale => Err(Code::Unauthenticated.into()),
        }
    }
}

/// A second factor that has just been turned on.
pub struct TurnedOn {
    /// Shown this once.
    pub recovery_codes: Vec<RecoveryCode>,
    /// The session that goes on in place of the one that asked.
    pub token: SessionToken,
}

impl SecondFactors<Update> {
    /// Turns on the factor that was set up last, by a code of it. All sessions end: they began without it. The one that
    /// asks goes on under another secret, since it may do more from now on.
    ///
    /// # Errors
    /// `validation_failed` for a wrong code, and where nothing was set up.
    pub async fn confirm(
        &self,
        asking: &SessionCredential,
        code: &TotpCode,
        ring: &Keyring,
    ) -> Result<TurnedOn, Error> {
        let (store, author, user) = (&self.store, &self.author, asking.user_id());
        let (key, event) = (keys::second_factor(user), author.event_of_this_try());
        update_with_retry!({
            let [card, kept] = store.batch_get([&keys::user(user), &key]).await?;
            let card = UserCard::read(&must(card, "user")?)?;
            let pending = kept.as_ref().and_then(|kept| pending(kept, author.at())).ok_or_else(not_set_up)?;
            let step = open(user, pending, ring)?.step_of(code, author.at(), None).ok_or_else(wrong_code)?;
            let recovery_codes: Vec<_> = (0..RECOVERY_CODES).map(|_| RecoveryCode::generate()).collect();
            let factor = Change::put(key.clone()).set("secret", text(pending)).set("lastStep", number(step));
            let factor = recovery_codes
                .iter()
                .enumerate()
                .fold(factor, |factor, (n, code)| factor.set(&code_name(n), text(code.hash(user))));
            let factor = factor.when("#pending = :pending").with(":pending", text(pending));
            let client = asking.scope.client();
            let (_, membership) = card.in_client(client).ok_or(Code::Unauthenticated)?;
            let token = SessionToken::generate(user);
            let started = sessions::start(store, author, author.at(), &token, (card.epoch + 1, client, membership));
            let card_change = UserCard::with_second_factor(Change::update(keys::user(user)));
            let card_change = card_change.set("sessionEpoch", number(card.epoch + 1));
            let changes = vec![
                factor,
                asking.goes_on_by(card_change),
                started.change,
                asking.end().when_present().or(Code::Unauthenticated),
            ];
            let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
            match store.commit(changes, event).await? {
                Outcome::Done => Ok(Step::Done(TurnedOn { recovery_codes, token })),
                Outcome::Stale => Ok(Step::Stale { base: card.epoch }),
            }
        })
    }
}

/// The sealed secret that waits for its first code.
fn pending(kept: &Item, now: Time) -> Option<&str> {
    let until: Time = must_parse(kept, "pendingUntil").ok()?;
    get_text(kept, "pending").filter(|_| now < until)
}

fn not_set_up() -> Error {
    let message = "No second factor is being set up, or that was begun more than 15 minutes ago. Begin with `POST /api/auth/totp`.";
    Problems::one("code", "not_set_up", message).into()
}

fn wrong_code() -> Error {
    let message = "Is not the code of this moment. Check the clock of the device that shows it.";
    Problems::one("code", "wrong_code", message).into()
}

impl SecondFactors<Delete> {
    /// Turns the factor off, and forgets what was being set up; whether there was one.
    ///
    /// # Errors
    /// `invalid_credentials` for a wrong password, which counts towards the lock.
    pub async fn turn_off(&self, asking: &SessionCredential, password: PasswordAttempt) -> Result<bool, LoginError> {
        let (store, author, user) = (&self.store, &self.author, asking.user_id());
        let Confirmed { card, .. } = passwords::confirm(store, asking, password, author.at()).await?;
        let event = author.event();
        let changes = vec![
            login_attempts::succeeded(&asking.user.email, author.at()),
            Change::delete(keys::second_factor(user)),
            asking.goes_on_by(UserCard::without_second_factor(Change::update(keys::user(user)))),
            asking.is_there(),
        ];
        let changes = changes.into_iter().map(|change| change.stamped(author, event)).collect();
        match store.commit(changes, event).await? {
            Outcome::Done => Ok(card.has_second_factor),
            Outcome::Stale => Err(Code::Unauthenticated.into()),
        }
    }
}
