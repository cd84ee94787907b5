// The account at the CA: made once, found again by its key, never twice.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>

#include "certwright/acme/account.h"
#include "certwright/acme/client.h"
#include "certwright/base/clock.h"
#include "certwright/issue/ledger.h"
#include "certwright/model/account.h"
#include "certwright/model/progress.h"
#include "certwright/store/database.h"

namespace certwright::issue {

class AccountKeeper {
 public:
  // `wishes` is asked at each registration, and may throw; what the CA limits is counted in
  // `ledger`.
  AccountKeeper(store::Database& database, acme::Client& client,
                std::function<acme::AccountWishes()> wishes, Clock& clock,
                const Ledger& ledger = Ledger::WithoutLimits());

  // The signer for orders. Without a stored account: a key is made and stored first, then
  // registered; with a stored key and no URL (a lost answer, a lost row): asked for by its key,
  // registered only where the CA knows none. A roll-over of its key that is under way is settled
  // first. Throws as acme::RegisterAccount; what the CA refuses is said to be of the account. One
  // caller at a time does the work.
  acme::Signer Ensure(const model::ProgressSink& progress, std::stop_token stop);

  // The same, and looks at the CA even where the URL is stored. In place of an account that was
  // deactivated another one is made, with another key.
  model::Account Register(const model::ProgressSink& progress, std::stop_token stop);

  std::optional<model::Account> Find();
  // The same, where there must be one: throws Error(kNotFound).
  model::Account Stored();

  // The account's key stays what it is for as long as this is held: what an order proves to the CA
  // depends on it. Held by the thread that works with a signer, from before Ensure.
  std::shared_lock<std::shared_mutex> HoldKey() { return std::shared_lock(key_in_use_); }

  // The contact becomes `email`, without one what is configured. Throws as acme::UpdateContact, and
  // Error(kNotFound) where there is no account.
  model::Account Update(const std::optional<std::string>& email,
                        const model::ProgressSink& progress, std::stop_token stop);

  // The account gets a new key, which is stored before the CA hears of it. Where it stays unknown
  // whether the CA took it, the next use of the account asks and settles it. Waits for whoever
  // holds the key, up to a minute. Throws as acme::RolloverKey (the former key is kept),
  // Error(kTimeout) and Error(kNotFound).
  model::Account Rollover(const model::ProgressSink& progress, std::stop_token stop);

  // The account is given up for ever; Register makes another one. Waits and throws as Rollover.
  model::Account Deactivate(const model::ProgressSink& progress, std::stop_token stop);

  // The failure with the account that it concerns before the CA's words: at which CA, with which
  // address.
  Failure About(Failure failure) const;

 private:
  void Save(const model::Account& account);
  // Throws where the account was deactivated or revoked.
  void RefuseGone(const model::Account& account) const;
  // Asks the CA, again where that may help; writes down where it says that the account is gone.
  void Ask(model::Account& account, const std::function<void()>& request,
           const model::ProgressSink& progress, std::stop_token stop);
  std::unique_lock<std::shared_mutex> WaitForKey(std::stop_token stop);
  bool IsKnown(model::Account& account, const Secret& key, std::stop_token stop);
  // Ends a roll-over that is under way: with the new key, or with the former one where the CA
  // refuses the new one for good, and then says why.
  std::optional<Failure> Settle(model::Account& account, const model::ProgressSink& progress,
                                std::stop_token stop);
  model::Account Establish(model::Account account, const model::ProgressSink& progress,
                           std::stop_token stop);
  void Count();

  store::Database& database_;
  acme::Client& client_;
  const std::function<acme::AccountWishes()> wishes_;
  Clock& clock_;
  const Ledger& ledger_;
  std::mutex one_at_a_time_;
  std::shared_mutex key_in_use_;  // before one_at_a_time_, where both are taken
};

}  // namespace certwright::issue
