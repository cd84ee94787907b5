// What is to be told of some looks: one event an endpoint and reason.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "certwright/model/certificate.h"
#include "certwright/model/event.h"
#include "certwright/store/database.h"
#include "certwright/store/served.h"
#include "judge.h"

namespace certwright::served {

class News {
 public:
  void Add(Tell tell, const store::ServedState& state, const model::CertificateVersion& held);
  void Append(store::Session& session, UnixSeconds now);
  bool empty() const { return events_.empty(); }

 private:
  std::map<std::pair<std::string, std::string>, model::Event> events_;  // by endpoint and reason
};

}  // namespace certwright::served
