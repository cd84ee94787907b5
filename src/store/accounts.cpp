#include "certwright/store/accounts.h"

#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

const std::string kSelect =
    "SELECT directory, key_pem, url, contact, status, terms, created_at, next_key_pem "
    "FROM account ";

model::Account ReadAccount(Query& row) {
  model::Account account;
  account.directory = row.Text();
  account.key_pem = Secret(row.Text());
  account.url = row.Text();
  account.contact = DecodeList(row.Text());
  account.status = row.Text();
  account.terms = row.Text();
  account.created_at = row.Int();
  account.next_key_pem = Secret(row.Text());
  return account;
}

}  // namespace

std::optional<model::Account> FindAccount(Session& session, const std::string& directory) {
  Query rows(Of(session), kSelect + "WHERE directory = ?", directory);
  if (!rows.Step()) return std::nullopt;
  return ReadAccount(rows);
}

void SaveAccount(Session& session, const model::Account& account) {
  Query(Of(session),
        "INSERT INTO account (directory, key_pem, url, contact, status, terms, created_at, "
        "next_key_pem) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (directory) DO UPDATE SET "
        "key_pem = excluded.key_pem, url = excluded.url, contact = excluded.contact, "
        "status = excluded.status, terms = excluded.terms, created_at = excluded.created_at, "
        "next_key_pem = excluded.next_key_pem",
        account.directory, account.key_pem, account.url, EncodeList(account.contact),
        account.status, account.terms, account.created_at, account.next_key_pem)
      .Run();
  session.impl().saved_step = true;
}

std::vector<model::Account> ListAccounts(Session& session) {
  Query rows(Of(session), kSelect + "ORDER BY directory");
  std::vector<model::Account> accounts;
  while (rows.Step()) accounts.push_back(ReadAccount(rows));
  return accounts;
}

}  // namespace certwright::store
