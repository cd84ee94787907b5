#include "certwright/base/secret.h"

#include <gtest/gtest.h>

#include <new>
#include <string>

namespace certwright {
namespace {

TEST(Secret, IsCopiedMovedAndCompared) {
  const Secret key(std::string(100, 'k'));
  Secret copy = key;
  EXPECT_TRUE(copy == key);
  Secret moved = std::move(copy);
  EXPECT_TRUE(moved == key);
  EXPECT_TRUE(copy.empty());  // NOLINT: the state after the move is what is tested
  copy = moved;
  EXPECT_TRUE(copy == key);
  moved = Secret("short");
  EXPECT_EQ(moved.Reveal(), "short");
  Secret& same = moved;
  moved = same;
  EXPECT_EQ(moved.Reveal(), "short");
}

// The text is short, so it lies within the object: what is left there can be looked at.
TEST(Secret, LeavesNothingBehind) {
  alignas(Secret) unsigned char place[sizeof(Secret)] = {};
  auto* const secret = new (place) Secret(std::string("topsecretkey"));
  const std::string_view bytes(reinterpret_cast<const char*>(place), sizeof place);
  ASSERT_NE(bytes.find("topsecretkey"), std::string_view::npos)
      << "the test looks at the wrong place";
  const Secret moved = std::move(*secret);
  EXPECT_EQ(bytes.find("secret"), std::string_view::npos);
  EXPECT_EQ(moved.Reveal(), "topsecretkey");
  secret->~Secret();
}

}  // namespace
}  // namespace certwright
