// Revokes versions at the CA that issued them (RFC 8555 section 7.6).
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/issue/authorities.h"
#include "certwright/model/certificate.h"
#include "certwright/model/progress.h"
#include "certwright/store/database.h"
#include "certwright/store/revocations.h"

namespace certwright::issue {

class Revoker {
 public:
  Revoker(store::Database& database, const Authorities& authorities, events::Feed& feed,
          Clock& clock);

  // Writes down that this version is to be revoked: from then on it will be, whatever becomes of
  // the process. Throws Error(kInput) where the reason is none, Error(kNotFound), and
  // Error(kRefused) where no CA of ours issued it.
  void Want(std::int64_t version_id, const store::RevocationWish& wish);

  // Revokes a version for which that is written down, and those of the same certificate that were
  // wanted before. Where it is the current one still, the managed certificate is removed with it and
  // nobody asks for it any more (RemoveWithWishes); gives the number of the event that tells so, else 0. Throws Error: what the CA refuses for good
  // is not wanted any more, everything else is tried again by CarryOn. Error(kInternal) where
  // another version has to take its place first.
  std::int64_t Revoke(std::int64_t version_id, const model::ProgressSink& progress,
                      std::stop_token stop);

  // Whether a version waits for another one to take its place.
  bool IsWaiting();

  // Those that were left half done, but for those that wait for another version to take their
  // place. Ends with the first failure that is not the CA's last word, and gives it.
  std::optional<Failure> CarryOn(std::stop_token stop);

 private:
  void AskCa(const model::CertificateVersion& version, const model::ProgressSink& progress,
             std::stop_token stop);
  std::int64_t Settle(std::int64_t version_id);
  void GiveUp(const model::CertificateVersion& version);

  store::Database& database_;
  const Authorities& authorities_;
  events::Feed& feed_;
  Clock& clock_;
};

}  // namespace certwright::issue
