#include "certwright/model/route.h"

namespace certwright::model {

int DefaultPriority(const Route& route) {
  if (route.host.empty()) return 1;
  return route.path.empty() ? 2 : 3;
}

}  // namespace certwright::model
