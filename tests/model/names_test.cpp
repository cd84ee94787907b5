// The names under which enumerations are stored and configured.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "certwright/base/error.h"
#include "certwright/model/key_type.h"
#include "certwright/model/order.h"

namespace certwright::model {
namespace {

TEST(KeyTypeName, GoesThereAndBack) {
  for (const KeyType type : {KeyType::kEc256, KeyType::kEc384, KeyType::kRsa2048, KeyType::kRsa3072,
                             KeyType::kRsa4096}) {
    EXPECT_EQ(KeyTypeFromName(KeyTypeName(type)), type);
  }
  EXPECT_EQ(KeyTypeName(KeyType::kRsa3072), "rsa3072");
}

TEST(KeyTypeName, ListsTheNamesToWhoeverTypedAnother) {
  for (const char* name : {"", "EC256", "rsa1024", "ed25519", "ec256\n"}) {
    try {
      KeyTypeFromName(name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kInput);
      EXPECT_NE(error.failure().advice.find("ec256, ec384, rsa2048, rsa3072, rsa4096"),
                std::string::npos);
    }
  }
}

// They are in people's databases.
TEST(OrderStateName, NeverChanges) {
  const std::vector<std::pair<OrderState, std::string>> rows = {
      {OrderState::kCreating, "creating"},
      {OrderState::kPending, "pending"},
      {OrderState::kValidating, "validating"},
      {OrderState::kReady, "ready"},
      {OrderState::kProcessing, "processing"},
      {OrderState::kIssued, "issued"},
      {OrderState::kDone, "done"},
      {OrderState::kFailed, "failed"},
  };
  for (const auto& [state, name] : rows) {
    EXPECT_EQ(OrderStateName(state), name);
    EXPECT_EQ(OrderStateFromName(name), state);
  }
}

TEST(OrderStateName, OfAnotherVersionIsDamage) {
  try {
    OrderStateFromName("teleported");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kDamaged);
    EXPECT_NE(error.failure().detail.find("teleported"), std::string::npos);
  }
}

}  // namespace
}  // namespace certwright::model
