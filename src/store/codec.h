// Text columns that are read and written only as a whole: lists, and the enums by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/model/certificate.h"
#include "certwright/model/order.h"

namespace certwright::store {

// One line an entry; line breaks, tabs and backslashes in it are escaped.
std::string EncodeList(const std::vector<std::string>& entries);
std::vector<std::string> DecodeList(std::string_view text);

// "dns:www.example.org", one a line. Decode* throw Error(kDamaged).
std::string EncodeIdentifiers(const std::vector<model::Identifier>& identifiers);
std::vector<model::Identifier> DecodeIdentifiers(std::string_view text);

// One line an authorization, its fields divided by tabs.
std::string EncodeAuthorizations(const std::vector<model::AuthorizationRecord>& records);
std::vector<model::AuthorizationRecord> DecodeAuthorizations(std::string_view text);

// "orders certificates-per-domain"
std::string EncodeLimits(const std::vector<model::LimitName>& limits);
std::vector<model::LimitName> DecodeLimits(std::string_view text);

std::string_view OriginName(model::Origin origin);
model::Origin OriginFromName(std::string_view name);

std::optional<std::string> EncodeFailure(const std::optional<Failure>& failure);
std::optional<Failure> DecodeFailure(const std::optional<std::string>& text);

}  // namespace certwright::store
