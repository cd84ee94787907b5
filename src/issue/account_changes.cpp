// What becomes of an account after it was made: another contact, another key, its end.
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/key.h"
#include "certwright/issue/account_keeper.h"

namespace certwright::issue {

namespace {

constexpr Millis kPatience{60'000};
constexpr Millis kLookAgain{200};

}  // namespace

model::Account AccountKeeper::Stored() {
  if (auto account = Find()) return std::move(*account);
  throw Error(FailureCode::kNotFound,
              Cat("there is no account at ", client_.directory_url(), " yet"),
              "'certwright account register' makes one; so does the first issuance");
}

model::Account AccountKeeper::Update(const std::optional<std::string>& email,
                                     const model::ProgressSink& progress, std::stop_token stop) {
  const std::lock_guard guard(one_at_a_time_);
  model::Account account = Stored();
  RefuseGone(account);
  Settle(account, progress, stop);
  if (account.url.empty()) account = Establish(std::move(account), progress, stop);
  const std::string wanted = email ? *email : wishes_().email;
  Ask(account, [&] { acme::UpdateContact(client_, wanted, account, stop); }, progress, stop);
  Save(account);
  return account;
}

// An order that is under way proves its names with the key that it began with (RFC 8555 section
// 8.1), so none is while the key changes. One that waits in the store for the next run takes the
// key of then: its challenges are started after that, or were looked at long ago.
std::unique_lock<std::shared_mutex> AccountKeeper::WaitForKey(std::stop_token stop) {
  const Steady until = clock_.SteadyNow() + kPatience;
  std::unique_lock lock(key_in_use_, std::try_to_lock);
  while (!lock) {
    if (clock_.SteadyNow() >= until) {
      throw Error(FailureCode::kTimeout,
                  Cat("orders are under way at ", client_.directory_url(),
                      ": they need the account as it is"),
                  "try again when they have ended");
    }
    if (!clock_.Sleep(kLookAgain, stop)) {
      throw Error(FailureCode::kCancelled, "stopped while orders were waited for");
    }
    lock.try_lock();
  }
  return lock;
}

bool AccountKeeper::IsKnown(model::Account& account, const Secret& key, std::stop_token stop) {
  model::Account asked = account;
  asked.key_pem = key;
  if (!acme::FindAccountByKey(client_, asked, stop)) return false;
  if (account.url.empty()) account.url = asked.url;
  return account.url == asked.url;
}

// Nobody gets a signer before this is over: of the two keys the CA takes one, and which it is may
// still change while a request is on its way. So the new key is offered until the CA has it or has
// refused it; it is never forgotten before that.
std::optional<Failure> AccountKeeper::Settle(model::Account& account,
                                             const model::ProgressSink& progress,
                                             std::stop_token stop) {
  if (account.next_key_pem.empty()) return std::nullopt;
  if (progress) progress({"account", "giving the account its new key", 2});
  std::optional<Failure> refused;
  const auto offer = [&] {
    if (IsKnown(account, account.next_key_pem, stop)) return;
    try {
      if (account.url.empty() && !IsKnown(account, account.key_pem, stop)) {
        throw Error(FailureCode::kRefused, "the CA knows neither its former nor its new key");
      }
      acme::RolloverKey(client_, account, stop);
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kRefused) throw;
      // It may say no for having said yes before, to a request whose answer was lost.
      if (!IsKnown(account, account.next_key_pem, stop)) refused = About(error.failure());
    }
  };
  Ask(account, offer, progress, stop);
  if (refused) {
    log::Warning(Cat("the account keeps its former key: ", refused->detail));
  } else {
    account.key_pem = account.next_key_pem;
    log::Info(Cat("the account at ", client_.directory_url(), " has a new key"));
  }
  account.next_key_pem = Secret();
  Save(account);
  return refused;
}

model::Account AccountKeeper::Rollover(const model::ProgressSink& progress, std::stop_token stop) {
  const auto alone = WaitForKey(stop);
  const std::lock_guard guard(one_at_a_time_);
  model::Account account = Stored();
  RefuseGone(account);
  if (account.next_key_pem.empty()) {
    account.next_key_pem = crypto::PrivateKey::Generate(model::KeyType::kEc256).ToPkcs8Pem();
    Save(account);
  }
  if (const auto refused = Settle(account, progress, stop)) throw Error(*refused);
  return account;
}

model::Account AccountKeeper::Deactivate(const model::ProgressSink& progress,
                                         std::stop_token stop) {
  const auto alone = WaitForKey(stop);
  const std::lock_guard guard(one_at_a_time_);
  model::Account account = Stored();
  if (model::IsGone(account)) return account;
  Settle(account, progress, stop);
  if (account.url.empty()) account = Establish(std::move(account), progress, stop);
  Ask(account, [&] { acme::DeactivateAccount(client_, account, stop); }, progress, stop);
  Save(account);
  return account;
}

}  // namespace certwright::issue
