// A DNS server on loopback that knows what a test tells it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "certwright/base/file.h"
#include "certwright/base/text.h"

namespace certwright::probe::test {

inline constexpr int kA = 1, kCname = 5, kAaaa = 28, kCaa = 257;
inline constexpr int kServFail = 2, kNxDomain = 3, kRefused = 5;
inline constexpr int kSilence = -1;

inline std::string Number(int value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift));
  }
  return text;
}

inline std::string NameBytes(const std::string& name) {
  std::string text;
  for (const std::string& label : Split(name, '.')) {
    text += static_cast<char>(label.size());
    text += label;
  }
  return text + '\0';
}

inline std::string CaaData(int flags, const std::string& tag, const std::string& value) {
  return Number(flags, 1) + Number(static_cast<int>(tag.size()), 1) + tag + value;
}

inline std::string AddressData(int family, const char* text) {
  char bytes[16] = {};
  inet_pton(family, text, bytes);
  return {bytes, static_cast<std::size_t>(family == AF_INET ? 4 : 16)};
}

class DnsServer {
 public:
  DnsServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port for the DNS server");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { Serve(stop); });
  }

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }

  void A(const std::string& name, const char* address) {
    Add(name, kA, AddressData(AF_INET, address));
  }
  void Aaaa(const std::string& name, const char* address) {
    Add(name, kAaaa, AddressData(AF_INET6, address));
  }
  void Caa(const std::string& name, int flags, const std::string& tag, const std::string& value) {
    Add(name, kCaa, CaaData(flags, tag, value));
  }
  void Alias(const std::string& name, const std::string& target) {
    const std::lock_guard guard(mutex_);
    aliases_[name] = target;
  }
  // Questions for this name are answered with this code, or kSilence.
  void Code(const std::string& name, int code, int type = 0) {
    const std::lock_guard guard(mutex_);
    codes_[{name, type}] = code;
  }
  // "NAME TYPE", in order.
  std::vector<std::string> Asked() {
    const std::lock_guard guard(mutex_);
    return asked_;
  }

 private:
  void Add(const std::string& name, int type, std::string data) {
    const std::lock_guard guard(mutex_);
    records_[{name, type}].push_back(std::move(data));
  }

  void Serve(std::stop_token stop) {
    while (!stop.stop_requested()) {
      pollfd ready{fd_.get(), POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      char bytes[1500];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n = recvfrom(fd_.get(), bytes, sizeof bytes, 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 17) continue;
      const std::string reply = Answer({bytes, static_cast<std::size_t>(n)});
      if (reply.empty()) continue;
      sendto(fd_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  std::string Answer(const std::string& query) {
    std::string name;
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += length + 1;
    }
    const std::string question = query.substr(12, at + 5 - 12);
    const int type = (static_cast<unsigned char>(query[at + 1]) << 8) |
                     static_cast<unsigned char>(query[at + 2]);
    const std::lock_guard guard(mutex_);
    asked_.push_back(name + " " + std::to_string(type));
    int code = 0;
    for (const int of : {0, type}) {
      if (const auto set = codes_.find({name, of}); set != codes_.end()) code = set->second;
    }
    if (code == kSilence) return "";
    std::string answers;
    int count = 0;
    std::string owner = "\xc0\x0c";  // the question's name
    std::string wanted = name;
    if (const auto alias = aliases_.find(name); alias != aliases_.end()) {
      const std::string target = NameBytes(alias->second);
      answers += owner + Record(kCname, target);
      ++count;
      wanted = alias->second;
      owner = target;
    }
    for (const std::string& data : records_[{wanted, type}]) {
      answers += owner + Record(type, data);
      ++count;
    }
    if (code != 0) count = 0;
    return query.substr(0, 2) + Number(0x8180 | code, 2) + Number(1, 2) + Number(count, 2) +
           Number(0, 4) + question + (code != 0 ? "" : answers);
  }

  static std::string Record(int type, const std::string& data) {
    return Number(type, 2) + Number(1, 2) + Number(60, 4) +
           Number(static_cast<int>(data.size()), 2) + data;
  }

  const Fd fd_;
  int port_ = 0;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::vector<std::string>> records_;
  std::map<std::pair<std::string, int>, int> codes_;
  std::map<std::string, std::string> aliases_;
  std::vector<std::string> asked_;
  std::jthread thread_;  // last: joined first
};

}  // namespace certwright::probe::test
