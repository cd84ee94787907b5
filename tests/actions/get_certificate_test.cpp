#include <optional>

#include "certwright/base/encoding.h"
#include "certwright/issue/housekeeping.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using model::Origin;

class GetCertificateTest : public ActionsTest {
 protected:
  json::Value Get(const std::string& fqdn) {
    return Output("get-certificate", json::Write(json::Value::Object({{"fqdn", fqdn}})));
  }
  // The serials of the pairs, in their order; each pair must be the chain and key that were stored.
  std::vector<std::string> Serials(const json::Value& answer) {
    std::vector<std::string> serials;
    for (const json::Value& pair : answer["certificates"].Items()) {
      const std::string chain = FromBase64(pair.String("cert")).value_or("");
      const std::string key = FromBase64(pair.String("key")).value_or("");
      EXPECT_TRUE(key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
      const auto leaf = crypto::InspectChain(chain).front();
      EXPECT_EQ(crypto::PrivateKey::FromPem(Secret(key)).PublicKeyDer(), leaf.public_key_der);
      serials.push_back(leaf.serial_hex);
    }
    return serials;
  }
};

TEST_F(GetCertificateTest, BestMatchComesFirstAndAllAreListed) {
  constexpr UnixSeconds kPast = kNow - 1;
  const Given host{{"www.example.org"}};
  const Given wildcard{{"*.example.org"}};
  const Given two_names{{"www.example.org", "example.org"}};
  const Given uploaded{{"www.example.org", "up.example.org"}, Origin::kUpload};
  const Given uploaded_wildcard{{"*.example.org", "up.example.org"}, Origin::kUpload};
  const Given expired_upload{{"www.example.org", "up.example.org"}, Origin::kUpload,
                             kNow - 90 * kDay, kPast};
  const Given expired_host{{"www.example.org"}, Origin::kAcme, kNow - 90 * kDay, kPast};
  const Given future_upload{{"www.example.org", "up.example.org"}, Origin::kUpload, kNow + 10,
                            kNow + 90 * kDay};
  const Given other{{"mail.example.org"}};
  const Given deep{{"*.www.example.org"}};
  // Given in the order that is expected; those behind `matching` must not appear.
  const struct {
    const char* name;
    std::vector<Given> given;
    std::size_t matching;
    const char* type;
  } kTable[] = {
      {"ACME alone", {host}, 1, "internal"},
      {"wildcard before the name", {wildcard, host}, 2, "internal"},
      {"uploaded before ACME", {uploaded, host}, 2, "custom"},
      {"uploaded before an ACME wildcard", {uploaded, wildcard}, 2, "custom"},
      {"uploaded wildcard before uploaded", {uploaded_wildcard, host}, 2, "custom"},
      {"all four", {uploaded_wildcard, wildcard, host, other}, 3, "custom"},
      {"expired upload behind ACME", {host, expired_upload}, 2, "internal"},
      {"not yet valid upload behind ACME", {host, future_upload}, 2, "internal"},
      {"expired upload before expired ACME", {expired_upload, expired_host}, 2, "custom"},
      {"one of two names", {two_names, other}, 1, "internal"},
      {"a wildcard is for one label", {host, deep}, 1, "internal"},
  };
  for (const auto& row : kTable) {
    std::vector<std::string> expected;
    std::vector<std::int64_t> ids;
    // The best one is stored last: the order of storing must not decide.
    for (auto given = row.given.rbegin(); given != row.given.rend(); ++given) {
      const store::HeldCertificate held = Hold(*given);
      ids.push_back(held.certificate.id);
      expected.insert(expected.begin(), held.current->serial_hex);
    }
    expected.resize(row.matching);
    const json::Value answer = Get("www.example.org");
    EXPECT_EQ(Serials(answer), expected) << row.name;
    EXPECT_EQ(answer.String("type"), row.type) << row.name;
    EXPECT_TRUE(answer.Bool("obtained")) << row.name;
    database_->Write([&](store::Session& session) {
      for (const std::int64_t id : ids) store::DeleteCertificate(session, id);
    });
  }
}

TEST_F(GetCertificateTest, AnswersInOneForm) {
  Hold({{"mail.example.org"}});
  const json::Value answer = Get("mail.example.org");
  std::vector<std::string> keys;
  for (const json::Member& member : answer.Fields()) keys.push_back(member.first);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("fqdn", "type", "obtained", "lets_encrypt",
                                                  "certificates"));
  EXPECT_EQ(answer.String("fqdn"), "mail.example.org");
}

TEST_F(GetCertificateTest, NamesAreComparedAsTheDnsDoes) {
  Hold({{"mail.example.org"}});
  Hold({{"b\xc3\xbc" "cher.example.org"}});
  for (const char* name : {"mail.example.org", "Mail.Example.ORG", "b\xc3\xbc" "cher.example.org",
                           "B\xc3\x9c" "CHER.example.org", "xn--bcher-kva.example.org",
                           "XN--Bcher-KVA.example.org"}) {
    EXPECT_TRUE(Get(name).Bool("obtained")) << name;
  }
  for (const char* name : {"mail.example.org.", "ail.example.org", "example.org", "mail", "*",
                           "x.mail.example.org", "mail.example.org\n", "%", "' OR 1=1 --"}) {
    const json::Value answer = Get(name);
    EXPECT_FALSE(answer.Bool("obtained")) << name;
    EXPECT_EQ(answer.String("type"), "selfsigned") << name;
    EXPECT_EQ(answer.String("fqdn"), name);
  }
}

TEST_F(GetCertificateTest, WithoutAMatchItIsTheNodesSelfSignedPair) {
  issue::EnsureSelfSigned(*database_, clock_, "node.example.org");
  const std::string own = database_->Read(
      [](store::Session& session) { return store::FindSelfSigned(session)->serial_hex; });
  const json::Value answer = Get("nobody.example.org");
  EXPECT_FALSE(answer.Bool("obtained"));
  EXPECT_FALSE(answer.Bool("lets_encrypt"));
  EXPECT_EQ(answer.String("type"), "selfsigned");
  EXPECT_EQ(Serials(answer), std::vector<std::string>{own});
}

TEST_F(GetCertificateTest, AskedForAndNotObtainedIsSelfSigned) {
  ca_.mood = FakeCa::Mood::kRefusing;
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"mail.example.org"})").exit_code, 3);
  const json::Value answer = Get("mail.example.org");
  EXPECT_FALSE(answer.Bool("obtained"));
  EXPECT_EQ(answer.String("type"), "selfsigned");
}

TEST_F(GetCertificateTest, LetsEncryptSaysWhetherTheNameIsWantedFromACa) {
  Hold({{"admin.example.org"}});
  Hold({{"custom.example.org"}, Origin::kUpload});
  Hold({{"*.wild.example.org"}, Origin::kUpload});
  Hold({{"first.example.org", "second.example.org"}});
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"app.wild.example.org"})", "module/app1").exit_code,
            0);
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1").exit_code, 0);
  const struct {
    const char* name;
    bool wanted;
  } kTable[] = {
      {"admin.example.org", true},      // an administrator's
      {"custom.example.org", false},    // uploaded: nobody asks a CA for it
      {"app.wild.example.org", true},   // a module asked; the upload serves it meanwhile
      {"x.wild.example.org", false},    // covered, but not asked for
      {"mail.example.org", true},       // a module's
      {"Mail.Example.org", true},       // the same
      {"nobody.example.org", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Get(row.name).Bool("lets_encrypt"), row.wanted) << row.name;
  }
}

}  // namespace
}  // namespace certwright::actions
