#include "certwright/crypto/mac.h"

#include <gtest/gtest.h>

#include "certwright/base/encoding.h"

namespace certwright::crypto {
namespace {

TEST(HmacSha256, IsThatOfRfc4231) {
  EXPECT_EQ(Hex(HmacSha256(Secret("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(Secret(std::string(131, '\xaa')),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace certwright::crypto
