// One way from an address to the responder.
#pragma once

#include <stop_token>
#include <string>

#include "certwright/probe/challenge_path.h"

namespace certwright::probe {

struct Token {
  std::string value;
  std::string rest;
  std::string key_authorization() const { return value + "." + rest; }
};

// GET at this address as the CA would, redirects followed. Never throws.
Sight Walk(const std::string& name, const std::string& address, const Token& token,
           Resolver& resolver, const PathOptions& options, std::stop_token stop);

}  // namespace certwright::probe
