// What may be kept of a call (invariant I1).
#include "redact.h"

#include <gtest/gtest.h>

#include "certwright/base/encoding.h"

namespace certwright::actions {
namespace {

std::string Redacted(const std::string& text) {
  return json::Write(WithoutSecrets(json::Parse(text)));
}

TEST(Redact, MembersWithTheNameOfASecretAreHidden) {
  for (const char* name : {"key", "keyFile", "KEYFILE", "password", "eab_hmac_key", "apiToken",
                           "client_secret", "pass", "Authorization", "Cookie"}) {
    EXPECT_EQ(Redacted(std::string("{\"") + name + "\":\"s3cret\"}"),
              std::string("{\"") + name + "\":\"XXX\"}");
  }
  EXPECT_EQ(Redacted(R"({"a":[{"b":{"key":"s3cret"}}]})"), R"({"a":[{"b":{"key":"XXX"}}]})");
}

TEST(Redact, WhatIsNoSecretStays) {
  const char* text =
      R"({"fqdn":"a.example.org","key_type":"ec256","reuse_key":true,"certFile":"QUJD","n":[1,null,"x"]})";
  EXPECT_EQ(Redacted(text), text);
  EXPECT_EQ(Redacted("\"PRIVATE KEY\""), "\"PRIVATE KEY\"") << "words alone are no key";
}

TEST(Redact, AKeyIsFoundUnderAnyNameAndInAnyForm) {
  const std::string pem =
      "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
  for (std::size_t shift = 0; shift < 6; ++shift) {
    const std::string moved = std::string(shift, '\n') + pem;
    std::string broken = Base64(moved);
    for (std::size_t at = 10; at < broken.size(); at += 11) broken.insert(at, "\r\n");
    for (const std::string& text : {moved, Base64(moved), broken}) {
      EXPECT_TRUE(HoldsKey(text)) << text;
      const json::Value value = json::Value::Object({{"fqdn", text}});
      EXPECT_EQ(json::Write(WithoutSecrets(value)), R"({"fqdn":"XXX"})") << text;
    }
  }
}

}  // namespace
}  // namespace certwright::actions
