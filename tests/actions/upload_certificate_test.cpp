// Each exit code and error of upload-certificate, in the order of its checks.
#include <botan/pkcs8.h>

#include <fstream>

#include "fixture.h"

namespace certwright::actions {
namespace {

// A CA and what it signs, by Botan: names and lifetimes as a test wants them.
class Pki {
 public:
  struct Pair {
    std::string cert;
    std::string key;
  };

  Pki() : key_(random_, Botan::EC_Group("secp256r1")) {
    Botan::X509_Cert_Options options = Options("Upload Root", "", kNow + 1000 * kDay);
    options.CA_key();
    root_ = std::make_unique<Botan::X509_Certificate>(
        Botan::X509::create_self_signed_cert(options, key_, "SHA-256", random_));
  }
  std::string root() const { return root_->PEM_encode(); }

  Pair Sign(const std::string& common_name, const std::string& dns,
            UnixSeconds until = kNow + 90 * kDay) {
    const Botan::ECDSA_PrivateKey key(random_, Botan::EC_Group("secp256r1"));
    const auto request = Botan::X509::create_cert_req(Options(common_name, dns, until), key,
                                                      "SHA-256", random_);
    const Botan::X509_CA ca(*root_, key_, "SHA-256", random_);
    return {ca.sign_request(request, random_, At(kNow - kDay), At(until)).PEM_encode(),
            Botan::PKCS8::PEM_encode(key)};
  }

 private:
  static Botan::X509_Time At(UnixSeconds time) {
    return Botan::X509_Time(std::chrono::system_clock::from_time_t(time));
  }
  static Botan::X509_Cert_Options Options(const std::string& common_name, const std::string& dns,
                                          UnixSeconds until) {
    Botan::X509_Cert_Options options;
    options.common_name = common_name;
    options.dns = dns;
    options.start = At(kNow - kDay);
    options.end = At(until);
    return options;
  }

  Botan::AutoSeeded_RNG random_;
  Botan::ECDSA_PrivateKey key_;
  std::unique_ptr<Botan::X509_Certificate> root_;
};

class UploadTest : public ActionsTest {
 protected:
  void SetUp() override {
    upload_.roots = temp_.path() / "roots.pem";
    std::ofstream(upload_.roots) << pki_.root();
    runner_.emplace(MakeContext());
  }
  Result Upload(const std::string& cert, const std::string& key, const std::string& verify = "") {
    const json::Value input =
        json::Value::Object({{"certFile", Base64(cert)}, {"keyFile", Base64(key)}});
    Call call{"upload-certificate", json::Write(input), "owner", "", verify};
    return runner_->Run(call, nullptr, {});
  }
  Pki::Pair SelfSigned(const std::string& name) {
    const auto version =
        crypto::SelfSigned(model::ParseIdentifiers({name}), kNow - kDay, kNow + kDay);
    return {version.chain_pem, version.key_pem.Reveal()};
  }
  std::optional<store::HeldCertificate> Held(const std::string& label) {
    return database_->Read(
        [&](store::Session& session) { return store::FindUpload(session, label); });
  }

  Pki pki_;
};

TEST_F(UploadTest, IsStoredAndTold) {
  const Pki::Pair pair = pki_.Sign("Www.Example.Org", "mail.example.org");
  const Result result = Upload(pair.cert, pair.key);
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_FALSE(result.output);
  EXPECT_EQ(Events(), "certificate-changed uploaded");
  const auto held = Held("www.example.org");
  ASSERT_TRUE(held && held->current);
  EXPECT_EQ(held->current->origin, model::Origin::kUpload);
  EXPECT_EQ(model::Names(held->current->names),
            (std::vector<std::string>{"mail.example.org", "www.example.org"}));
  EXPECT_EQ(Upload(pair.cert, pair.key).exit_code, 0);
  EXPECT_EQ(Events(), "certificate-changed uploaded") << "the same pair again";
  EXPECT_EQ(Output("get-certificate", R"({"fqdn":"www.example.org"})").String("type"), "custom");
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(UploadTest, EachCheckInItsTurn) {
  const Pki::Pair good = pki_.Sign("www.example.org", "www.example.org");
  const Pki::Pair other = pki_.Sign("www.example.org", "www.example.org");
  const Pki::Pair nameless = pki_.Sign("", "");
  const Pki::Pair expired = pki_.Sign("www.example.org", "www.example.org", kNow - 1);
  const Pki::Pair self_signed = SelfSigned("self.example.org");
  const Pki::Pair foreign = Pki().Sign("www.example.org", "www.example.org");
  const std::string encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
                                "-----END ENCRYPTED PRIVATE KEY-----\n";
  const struct {
    const char* name;
    std::string cert, key;
    const char* verify;
    int exit_code;
    const char* error;
    const char* field;
    const char* parameter;
  } kTable[] = {
      {"a key with a passphrase", good.cert, encrypted, "", 2, "invalid_key", "keyFile", "keyFile"},
      {"no key before no certificate", "no", "no", "", 2, "invalid_key", "keyFile", "keyFile"},
      {"no certificate", "no", good.key, "", 4, "invalid_format", "certFile", "certFile"},
      {"a key among certificates", good.cert + good.key, good.key, "", 4, "invalid_format",
       "certFile", "certFile"},
      {"no name before another key", nameless.cert, good.key, "", 5, "empty_common_name",
       "certFile", "certFile"},
      {"another key before no trust", foreign.cert, good.key, "", 3, "key_mismatch", "certFile",
       "certFile"},
      {"a key that is not its", good.cert, other.key, "none", 3, "key_mismatch", "certFile",
       "certFile"},
      {"another root", foreign.cert, foreign.key, "", 33, "cert_verification_failed_chain",
       "chainFile", "certFile"},
      {"expired", expired.cert, expired.key, "chain", 33, "cert_verification_failed_chain",
       "chainFile", "certFile"},
      {"self-signed", self_signed.cert, self_signed.key, "no such word", 33,
       "cert_verification_failed_chain", "chainFile", "certFile"},
      {"not self-signed", good.cert, good.key, "selfsign", 34,
       "cert_verification_failed_selfsigned", "chainFile", "certFile"},
  };
  for (const auto& row : kTable) {
    const Result result = Upload(row.cert, row.key, row.verify);
    EXPECT_EQ(result.exit_code, row.exit_code) << row.name << ": " << result.error;
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("error"), row.error) << row.name;
    EXPECT_EQ(violation.String("field"), row.field) << row.name;
    EXPECT_EQ(violation.String("parameter"), row.parameter) << row.name;
    EXPECT_TRUE(violation["value"].IsNull()) << row.name;
    EXPECT_TRUE(IsPlain(violation.String("details"))) << violation.String("details");
    EXPECT_NE(violation.String("details"), "") << row.name;
  }
  EXPECT_EQ(Events(), "");
}

TEST_F(UploadTest, IsTakenByTheSetting) {
  const Pki::Pair good = pki_.Sign("www.example.org", "www.example.org");
  const Pki::Pair self_signed = SelfSigned("self.example.org");
  const Pki::Pair foreign = Pki().Sign("foreign.example.org", "");
  EXPECT_EQ(Upload(good.cert + pki_.root(), good.key).exit_code, 0) << "with what issued it";
  EXPECT_EQ(Upload(self_signed.cert, self_signed.key, "selfsign").exit_code, 0);
  EXPECT_EQ(Upload(good.cert + pki_.root(), good.key, "selfsign").exit_code, 0);
  EXPECT_EQ(Upload(foreign.cert, foreign.key, "none").exit_code, 0);
  upload_.verify = "none";
  runner_.emplace(MakeContext());
  EXPECT_EQ(Upload(foreign.cert, foreign.key).exit_code, 0);
}

TEST_F(UploadTest, NamesComeFromBothPlaces) {
  const struct {
    const char* common_name;
    const char* dns;
    const char* label;
    std::vector<std::string> names;
  } kTable[] = {
      {"cn.example.org", "", "cn.example.org", {"cn.example.org"}},
      {"", "san.example.org", "san.example.org", {"san.example.org"}},
      {"*.example.org", "", "*.example.org", {"*.example.org"}},
      {"My Server", "b.example.org", "My Server", {"b.example.org"}},
      {"Another Server", "", "another server", {"another server"}},
  };
  for (const auto& row : kTable) {
    const Pki::Pair pair = pki_.Sign(row.common_name, row.dns);
    EXPECT_EQ(Upload(pair.cert, pair.key).exit_code, 0) << row.label;
    const auto held = Held(row.label);
    ASSERT_TRUE(held && held->current) << row.label;
    EXPECT_EQ(model::Names(held->current->names), row.names);
  }
}

TEST_F(UploadTest, TheNextOneOfThatNameTakesItsPlace) {
  const Pki::Pair first = pki_.Sign("www.example.org", "a.example.org");
  const Pki::Pair second = pki_.Sign("www.example.org", "b.example.org");
  Upload(first.cert, first.key);
  Upload(second.cert, second.key);
  const json::Array listed = Output("list-certificates", "")["certificates"].Items();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].Strings("names"),
            (std::vector<std::string>{"b.example.org", "www.example.org"}));
  const auto events = database_->Read(
      [](store::Session& session) { return store::ListEvents(session, 0, 10); });
  EXPECT_EQ(events.back().names,
            (std::vector<std::string>{"a.example.org", "b.example.org", "www.example.org"}))
      << "who used the former name hears of it too";
}

TEST_F(UploadTest, NoKeyIsInWhatIsWrongWithTheInput) {
  const std::string secret = SelfSigned("a.example.org").key;
  for (const json::Value& input :
       {json::Value::Object({{"keyFile", secret}}),
        json::Value::Object({{"keyFile", json::Array{secret}}, {"certFile", "eA=="}}),
        json::Value::Object({{"keyFile", secret}, {"certFile", "eA=="}}),
        json::Value::Object({{"keyFile", "eA=="}, {"certFile", "eA=="}, {"more", secret}})}) {
    const Result result = Run("upload-certificate", json::Write(input));
    EXPECT_EQ(result.exit_code, 10);
    EXPECT_THAT(json::Write(result.ToJson()), testing::Not(testing::HasSubstr("BEGIN PRIV")));
  }
}

TEST_F(UploadTest, IsNeverRenewed) {
  const Pki::Pair pair = pki_.Sign("www.example.org", "", kNow + 2 * kDay);
  Upload(pair.cert, pair.key);
  EXPECT_EQ(Run("renew", "{}").exit_code, 0);
  EXPECT_EQ(Run("renew", R"({"certificates":["www.example.org"]})").exit_code, 0);
  EXPECT_NE(Run("renew", R"({"certificates":["www.example.org"],"force":true})").exit_code, 0);
  EXPECT_EQ(ca_.orders, 0);
}

}  // namespace
}  // namespace certwright::actions
