#include "inventory_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/text.h"

namespace certwright::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

json::Value Held(const std::string& names, const std::string& issuer) {
  return json::Value::Object({{"names", Split(names, ',')},
                              {"serial", "0a1b"},
                              {"issuer", issuer},
                              {"valid_to", "2027-04-15T08:00:00Z"},
                              {"validity", "valid"},
                              {"next_renewal", "2027-03-16T08:00:00Z"},
                              {"last_error", json::Value()}});
}

json::Value ListOf(json::Array certificates, json::Array missing = {}) {
  return json::Value::Object({{"certificates", std::move(certificates)},
                              {"missing", std::move(missing)}});
}

TEST(ListText, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(ListText(ListOf({Held("a.example.org", "CN=CA"),
                             Held("mail.example.org,www.example.org", "CN=Other CA")})),
            "NAMES                             STATE  VALID UNTIL  NEXT RENEWAL  ISSUER       "
            "LAST ERROR\n"
            "a.example.org                     valid  2027-04-15   2027-03-16    CN=CA        -\n"
            "mail.example.org,www.example.org  valid  2027-04-15   2027-03-16    CN=Other CA  -\n");
}

TEST(ListText, WideLettersCountAsOneColumn) {
  const std::vector<std::string> lines = Split(
      ListText(ListOf({Held("a.example.org", "O=Caf\xc3\xa9"), Held("b.example.org", "O=Cafe")})),
      '\n');
  EXPECT_EQ(lines[1].substr(lines[1].find("O=")), "O=Caf\xc3\xa9  -");
  EXPECT_EQ(lines[2].substr(lines[2].find("O=")), "O=Cafe  -");
}

TEST(ListText, MissingOnesShowTheirLastError) {
  const json::Value missing = json::Value::Object(
      {{"names", json::Array{"mail.example.org"}},
       {"validity", "missing"},
       {"next_renewal", json::Value()},
       {"last_error", json::Value::Object({{"detail", "the CA said no"}})}});
  const std::string text = ListText(ListOf({}, {missing}));
  EXPECT_THAT(text, HasSubstr("mail.example.org  missing  -"));
  EXPECT_THAT(text, HasSubstr("the CA said no\n"));
}

TEST(ListText, NothingHeldIsSaidInWords) {
  EXPECT_THAT(ListText(ListOf({})), HasSubstr("certwright issue"));
  EXPECT_THAT(ListText(json::Value()), HasSubstr("no certificates"));
}

TEST(InventoryText, ARevocationThatIsToComeIsShown) {
  json::Value certificate = Held("a.example.org", "CN=CA");
  certificate.Set("to_be_revoked", "keyCompromise");
  EXPECT_THAT(ListText(ListOf({certificate})), HasSubstr("a.example.org  to be revoked  2027"));
  EXPECT_THAT(ShowText(certificate), HasSubstr("keyCompromise"));
}

TEST(ShowText, TellsTheWindowOfTheCa) {
  json::Value certificate = Held("a.example.org", "CN=CA");
  EXPECT_THAT(ShowText(certificate), Not(HasSubstr("window")));
  certificate.Set("window", json::Value::Object({{"start", "2027-03-01T00:00:00Z"},
                                                 {"end", "2027-03-03T00:00:00Z"},
                                                 {"explanation_url", "https://ca.test/why"}}));
  const std::string text = ShowText(certificate);
  EXPECT_THAT(text, HasSubstr("2027-03-01T00:00:00Z to 2027-03-03T00:00:00Z"));
  EXPECT_THAT(text, HasSubstr("https://ca.test/why"));
}

// A CA, or who uploaded a certificate, chooses these texts.
TEST(InventoryText, WhatATerminalWouldObeyIsMadeHarmless) {
  const std::string evil = "CN=\x1b]0;owned\x07\x1b[2J\nroot\r\x9b";
  json::Value certificate = Held("a.example.org", evil);
  certificate.Set("subject", evil)
      .Set("owner", evil)
      .Set("last_error", json::Value::Object({{"detail", evil}, {"advice", evil}}))
      .Set("chain", json::Array{json::Value::Object({{"subject", evil}, {"valid_to", "x"}})})
      .Set("versions", json::Array{json::Value::Object({{"serial", evil}})})
      .Set("orders", json::Array{json::Value::Object(
                         {{"state", "failed"},
                          {"url", evil},
                          {"failure", json::Value::Object({{"detail", evil}})}})});
  for (const std::string& text : {ListText(ListOf({certificate})), ShowText(certificate)}) {
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_EQ(text.find('\r'), std::string::npos);
    EXPECT_THAT(text, Not(HasSubstr("\nroot")));
    EXPECT_TRUE(IsUtf8(text));
  }
}

TEST(ShowText, TellsChainVersionsOrdersAndTheLastError) {
  json::Value certificate = Held("a.example.org", "CN=CA");
  certificate.Set("failures", 2)
      .Set("last_error_at", "2026-01-01T00:00:00Z")
      .Set("last_error", json::Value::Object({{"detail", "too many"}, {"advice", "wait"}}))
      .Set("chain", json::Array{json::Value::Object({{"subject", "CN=a"}, {"valid_to", "2027"}})})
      .Set("versions", json::Array{json::Value::Object(
                           {{"serial", "0a1b"}, {"obtained_at", "2026"}, {"valid_to", "2027"}})})
      .Set("orders", json::Array{json::Value::Object({{"state", "done"}, {"created_at", "2026"}})});
  const std::string text = ShowText(certificate);
  for (const char* words : {"names         a.example.org\n", "state         valid\n",
                            "chain         CN=a, until 2027\n",
                            "version       0a1b, obtained 2026, until 2027\n",
                            "order         done, 2026\n",
                            "last error    2026-01-01T00:00:00Z (2 in a row): too many\n",
                            "what to do    wait\n"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
  EXPECT_THAT(text, Not(HasSubstr("owner"))) << "what is empty is left out";
}

TEST(ShowText, TellsWhoseAFailureIsAndWhatWasSeenFromOutside) {
  json::Value certificate = Held("a.example.org", "CN=CA");
  certificate.Set("failures", 12)
      .Set("failure_class", "validation")
      .Set("parked", true)
      .Set("last_error_at", "2026-01-01T00:00:00Z")
      .Set("last_error", json::Value::Object({{"detail", "not reached"}, {"advice", ""}}))
      .Set("preflight", json::Value::Object({{"good", false},
                                             {"saw", "connection refused"},
                                             {"at", "2026-01-02T00:00:00Z"},
                                             {"next_at", "2026-01-02T01:00:00Z"}}));
  const std::string text = ShowText(certificate);
  EXPECT_THAT(text, HasSubstr("(12 in a row, validation, parked): not reached\n"));
  EXPECT_THAT(text, HasSubstr("bad at 2026-01-02T00:00:00Z: connection refused; looked at again "
                              "at 2026-01-02T01:00:00Z\n"));
  EXPECT_THAT(ListText(ListOf({certificate})), HasSubstr("parked: not reached"));
}

TEST(ShowText, NamesALeafWithoutASubject) {
  json::Value certificate = Held("a.example.org", "CN=CA");
  json::Array chain;
  for (const char* subject : {"", "O=Example,C=IT", ""}) {
    chain.push_back(json::Value::Object({{"subject", subject}, {"valid_to", "2027"}}));
  }
  certificate.Set("chain", chain);
  EXPECT_THAT(ShowText(certificate),
              HasSubstr("chain         (no subject) a.example.org, until 2027\n"
                        "chain         O=Example,C=IT, until 2027\n"
                        "chain         (no subject), until 2027\n"));
}

}  // namespace
}  // namespace certwright::cli
