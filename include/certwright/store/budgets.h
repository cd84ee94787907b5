// How much of the limits of CAs is used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/store/database.h"

namespace certwright::store {

struct Budget {
  std::string ca;          // directory URL
  std::string limit;       // "certificates-per-domain"
  std::string subject;     // what is counted: "example.org"; "" : the account
  std::int64_t arrival_ms = 0;   // when all of it is free again
  std::int64_t interval_ms = 0;  // one came back each, when that was counted; 0: not known
  UnixSeconds updated_at = 0;
};

std::optional<Budget> FindBudget(Session& session, const std::string& ca, const std::string& limit,
                                 const std::string& subject);
void SaveBudget(Session& session, const Budget& budget);  // inserts or updates
void DeleteBudget(Session& session, const std::string& ca, const std::string& limit,
                  const std::string& subject);
// Ordered by CA, limit and subject.
std::vector<Budget> ListBudgets(Session& session);
// Removes those whose arrival has come: they are as good as none. One look at an index.
void PruneBudgets(Session& session, UnixSeconds now);

}  // namespace certwright::store
