#include "certwright/model/order.h"

#include <array>

#include "certwright/base/text.h"

namespace certwright::model {
namespace {

struct Entry {
  OrderState state;
  std::string_view name;
};

constexpr std::array kStates = {
    Entry{OrderState::kCreating, "creating"},
    Entry{OrderState::kPending, "pending"},
    Entry{OrderState::kValidating, "validating"},
    Entry{OrderState::kReady, "ready"},
    Entry{OrderState::kProcessing, "processing"},
    Entry{OrderState::kIssued, "issued"},
    Entry{OrderState::kDone, "done"},
    Entry{OrderState::kFailed, "failed"},
};

}  // namespace

std::string_view OrderStateName(OrderState state) {
  for (const Entry& entry : kStates) {
    if (entry.state == state) return entry.name;
  }
  throw Error(FailureCode::kInternal, "an order state without a name");
}

OrderState OrderStateFromName(std::string_view name) {
  for (const Entry& entry : kStates) {
    if (entry.name == name) return entry.state;
  }
  throw Error(FailureCode::kDamaged,
              Cat("the store holds an order in the unknown state \"", Printable(name, 40), "\""),
              "Use the version of Certwright that wrote the store, or a newer one.");
}

}  // namespace certwright::model
