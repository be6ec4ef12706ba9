#include <gtest/gtest.h>

#include <string>

#include "identity/accounts.h"
#include "identity_fake_proc.h"

namespace nslookout::identity {
namespace {

TEST(AccountFile, NamesByNumber) {
  const FakeProc files;
  files.write("passwd",
              "root:x:0:0:root:/root:/bin/bash\n# comment\nbad line\n:x:5:\nno-number:x:a:0\nalso:x:7z:0\n"
              "toor:x:0:0::/:\nalice:x:1000:1000::/home/alice:/bin/sh\nnobody:x:65534:65534::/:\nbig:x:4294967294:0\n"
              "over:x:4294967296:0\nlast:x:12");
  AccountFile users(files.path("passwd"));
  EXPECT_EQ(users.name_of(0), "root") << "the first line counts";
  EXPECT_EQ(users.name_of(1000), "alice");
  EXPECT_EQ(users.name_of(65534), "nobody");
  EXPECT_EQ(users.name_of(4294967294), "big");
  EXPECT_EQ(users.name_of(12), "last");
  EXPECT_EQ(users.name_of(5), "");
  EXPECT_EQ(users.name_of(7), "");
  EXPECT_EQ(users.name_of(1001), "");
}

TEST(AccountFile, AChangedFileIsReadAgain) {
  const FakeProc files;
  AccountFile users(files.path("passwd"));
  EXPECT_EQ(users.name_of(1000), "") << "no file yet";
  files.write("passwd", "alice:x:1000:1000\n");
  EXPECT_EQ(users.name_of(1000), "alice");
  files.write("passwd", "robert:x:1000:1000\n");
  EXPECT_EQ(users.name_of(1000), "robert");
  std::filesystem::remove(files.path("passwd"));
  EXPECT_EQ(users.name_of(1000), "");
}

TEST(AccountFile, TheHostsOwnRoot) {
  EXPECT_EQ(AccountFile("/etc/passwd").name_of(0), "root");
  EXPECT_EQ(AccountFile("/etc/group").name_of(0), "root");
}

}  // namespace
}  // namespace nslookout::identity
