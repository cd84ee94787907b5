#include "certwright/issue/account_keeper.h"

#include <utility>

#include "certwright/acme/retry.h"
#include "certwright/base/text.h"
#include "certwright/crypto/key.h"
#include "certwright/store/accounts.h"

namespace certwright::issue {

AccountKeeper::AccountKeeper(store::Database& database, acme::Client& client,
                             std::function<acme::AccountWishes()> wishes, Clock& clock,
                             const Ledger& ledger)
    : database_(database),
      client_(client),
      wishes_(std::move(wishes)),
      clock_(clock),
      ledger_(ledger) {}

std::optional<model::Account> AccountKeeper::Find() {
  return database_.Read([&](store::Session& session) {
    return store::FindAccount(session, client_.directory_url());
  });
}

void AccountKeeper::Save(const model::Account& account) {
  database_.Write([&](store::Session& session) { store::SaveAccount(session, account); });
}

void AccountKeeper::RefuseGone(const model::Account& account) const {
  if (!model::IsGone(account)) return;
  throw Error(FailureCode::kRefused,
              Cat("the account at ", client_.directory_url(), " is ", account.status),
              "'certwright account register' makes a new key and a new account");
}

void AccountKeeper::Ask(model::Account& account, const std::function<void()>& request,
                        const model::ProgressSink& progress, std::stop_token stop) {
  try {
    acme::WithRetries(clock_, stop, request, [&](const Failure& failure) {
      if (progress) progress({"retry", failure.detail + "; trying again", 0});
    });
  } catch (const Error& error) {
    if (model::IsGone(account)) Save(account);
    const FailureCode code = error.failure().code;
    if (code != FailureCode::kRefused && code != FailureCode::kRateLimited) throw;
    throw Error(About(error.failure()));
  }
}

model::Account AccountKeeper::Establish(model::Account account, const model::ProgressSink& progress,
                                        std::stop_token stop) {
  const bool new_key = account.key_pem.empty();
  if (new_key) {
    account.directory = client_.directory_url();
    account.key_pem = crypto::PrivateKey::Generate(model::KeyType::kEc256).ToPkcs8Pem();
    account.created_at = clock_.Now();
    // Stored before the CA hears of it: an account whose key is lost is lost.
    Save(account);
  }
  bool counted = false;
  Ask(
      account,
      [&] {
        if (!new_key && acme::FindAccountByKey(client_, account, stop)) return;
        if (!std::exchange(counted, true)) Count();
        acme::RegisterAccount(client_, wishes_(), account, stop);
      },
      progress, stop);
  Save(account);
  return account;
}

// Before it is sent: also one whose answer is lost counts at the CA.
void AccountKeeper::Count() {
  database_.Write([&](store::Session& session) {
    ledger_.AdmitAccount(session, client_.directory_url(), clock_.Now());
  });
}

Failure AccountKeeper::About(Failure failure) const {
  std::string email;
  try {
    email = wishes_().email;
  } catch (const Error&) {  // another file is wrong: not what is told here
  }
  failure.detail =
      Cat("the account at ", client_.directory_url(),
          email.empty() ? "" : Cat(" (", Printable(email, 300), ")"), ": ", failure.detail);
  return failure;
}

acme::Signer AccountKeeper::Ensure(const model::ProgressSink& progress, std::stop_token stop) {
  const std::lock_guard guard(one_at_a_time_);
  model::Account account = Find().value_or(model::Account{});
  RefuseGone(account);
  Settle(account, progress, stop);
  if (account.url.empty()) {
    if (progress) progress({"account", "looking for our account at the CA", 2});
    account = Establish(std::move(account), progress, stop);
    if (progress) progress({"account", "account ready: " + account.url, 5});
  }
  return {crypto::PrivateKey::FromPem(account.key_pem), account.url};
}

model::Account AccountKeeper::Register(const model::ProgressSink& progress, std::stop_token stop) {
  const std::lock_guard guard(one_at_a_time_);
  model::Account account = Find().value_or(model::Account{});
  if (model::IsGone(account)) account = {};
  Settle(account, progress, stop);
  return Establish(std::move(account), progress, stop);
}

}  // namespace certwright::issue
