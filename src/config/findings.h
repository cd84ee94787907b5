// Everything that is wrong with one file, told at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace certwright::config {

class Findings {
 public:
  // `file` as it is named in messages.
  explicit Findings(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  void Add(std::uint32_t line, std::string text);  // "acme.email: ..."
  // Throws Error(kConfig) with one line a finding, in the order of the file.
  void ThrowProblems(const std::string& advice) const;

 private:
  struct Finding {
    std::uint32_t line = 0;
    std::string text;
  };
  std::string file_;
  std::vector<Finding> findings_;
};

}  // namespace certwright::config
