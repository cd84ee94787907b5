// What the tests of crypto share: fixtures, and the openssl command as the other opinion.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/secret.h"
#include "certwright/model/identifier.h"

namespace certwright::crypto::testing {

inline std::string Data(const std::string& name) {
  std::ifstream file(std::string(CERTWRIGHT_TEST_DATA) + "/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("no fixture " + name);
  return (std::ostringstream() << file.rdbuf()).str();
}

inline Secret SecretData(const std::string& name) { return Secret(Data(name)); }

inline model::Identifier Dns(const std::string& name) {
  return {model::IdentifierType::kDns, name};
}
inline model::Identifier Ip(const std::string& address) {
  return {model::IdentifierType::kIp, address};
}

// The failure of what `action` throws; a test failure where it throws none.
template <typename Action>
Failure FailureOf(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.failure();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

// A directory of the test's own, with the openssl command run in it.
class OpenSslTest : public ::testing::Test {
 protected:
  struct Outcome {
    int exit_code;
    std::string output;
  };

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "crypto-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(dir_ / name, std::ios::binary) << content;
  }

  Outcome OpenSsl(const std::string& arguments) {
    const std::string command = "cd '" + dir_.string() + "' && openssl " + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {-1, ""};
    std::string output;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      output.append(buffer.data(), size);
    }
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
  }

 private:
  std::filesystem::path dir_;
};

}  // namespace certwright::crypto::testing
