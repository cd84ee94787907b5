#include "certwright/model/route.h"

namespace certwright::model {

bool SameButTimes(Route a, const Route& b) {
  a.created_at = b.created_at;
  a.updated_at = b.updated_at;
  return a == b;
}

int DefaultPriority(const Route& route) {
  if (route.host.empty()) return 1;
  return route.path.empty() ? 2 : 3;
}

}  // namespace certwright::model
