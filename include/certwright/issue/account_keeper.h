// The account at the CA: made once, found again by its key, never twice.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>

#include "certwright/acme/account.h"
#include "certwright/acme/client.h"
#include "certwright/base/clock.h"
#include "certwright/model/account.h"
#include "certwright/model/progress.h"
#include "certwright/store/database.h"

namespace certwright::issue {

class AccountKeeper {
 public:
  // `wishes` is asked at each registration, and may throw.
  AccountKeeper(store::Database& database, acme::Client& client,
                std::function<acme::AccountWishes()> wishes, Clock& clock);

  // The signer for orders. Without a stored account: a key is made and stored first, then
  // registered; with a stored key and no URL (a lost answer, a lost row): asked for by its key,
  // registered only where the CA knows none. Throws as acme::RegisterAccount; what the CA refuses
  // is said to be of the account. One caller at a time does the work.
  acme::Signer Ensure(const model::ProgressSink& progress, std::stop_token stop);

  // The same, and looks at the CA even where the URL is stored.
  model::Account Register(const model::ProgressSink& progress, std::stop_token stop);

  std::optional<model::Account> Find();

  // The failure with the account that it concerns before the CA's words: at which CA, with which
  // address.
  Failure About(Failure failure) const;

 private:
  model::Account Establish(model::Account account, const model::ProgressSink& progress,
                           std::stop_token stop);

  store::Database& database_;
  acme::Client& client_;
  const std::function<acme::AccountWishes()> wishes_;
  Clock& clock_;
  std::mutex one_at_a_time_;
};

}  // namespace certwright::issue
