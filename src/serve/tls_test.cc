// DNS over TLS (RFC 7858), and certificates that change.
#include "serve/tls.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>

#include "base/limits.h"
#include "serve/tcp_server.h"
#include "serve/test_util.h"

namespace quorate::serve {
namespace {

// A self-signed certificate of that name, written over `files`.
void WriteCertificate(const TlsCertificates::Files& files, const std::string& name) {
  const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::shared_ptr<X509> cert(X509_new(), X509_free);
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert.get(), subject);
  ASSERT_GT(X509_sign(cert.get(), key.get(), EVP_sha256()), 0);
  FILE* out = std::fopen(files.certificate.c_str(), "w");
  ASSERT_TRUE(out != nullptr && PEM_write_X509(out, cert.get()) == 1);
  std::fclose(out);
  out = std::fopen(files.key.c_str(), "w");
  ASSERT_TRUE(out != nullptr &&
              PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(out);
}

// A blocking client.
class TlsClient {
 public:
  explicit TlsClient(const SocketAddress& server, const std::string& alpn = "dot", int version_max = 0)
      : plain_(SOCK_STREAM, server), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(plain_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (version_max != 0) SSL_CTX_set_max_proto_version(context_.get(), version_max);
    ssl_.reset(SSL_new(context_.get()), SSL_free);
    const std::string wire = static_cast<char>(alpn.size()) + alpn;
    if (!alpn.empty())
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
    SSL_set_fd(ssl_.get(), plain_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  bool connected() const { return connected_; }
  std::string Alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string Subject() const {
    const std::shared_ptr<X509> cert(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    char name[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert.get()), NID_commonName, name, sizeof name);
    return name;
  }
  void Send(const std::string& bytes) {
    ASSERT_EQ(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  std::string Read(size_t size) {
    std::string out(size, '\0');
    for (size_t have = 0; have < size;) {
      const int n = SSL_read(ssl_.get(), out.data() + have, static_cast<int>(size - have));
      if (n <= 0) return {};
      have += static_cast<size_t>(n);
    }
    return out;
  }
  std::string ReceiveFrame() {
    const std::string head = Read(2);
    return head.empty() ? "" : Read(wire::LoadU16(wire::AsBytes(head).data()));
  }

 private:
  Client plain_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  bool connected_ = false;
};

struct Tls : testing::Test {
  void SetUp() override {
    folder = testing::TempDir() + "quorate-tls-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    files = {folder + "/cert.pem", folder + "/key.pem"};
    WriteCertificate(files, "first");
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  void Start(ServerOptions options = LoopbackOptions()) {
    world.gate.local = true;
    auto loaded = TlsCertificates::Load(files, [this](const std::string& text) { notices.push_back(text); });
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    certificates = *std::move(loaded);
    options.tls = certificates.get();
    auto started = TcpServer::Start(std::move(options), world.source());
    ASSERT_TRUE(started.ok());
    server = *std::move(started);
  }
  const SocketAddress& address() { return server->addresses()[0]; }
  Counters Total() { return server->ReadCounters()[0]; }

  std::string folder;
  TlsCertificates::Files files;
  std::vector<std::string> notices;
  World world{ExampleZones("192.0.2.1", 250)};
  std::unique_ptr<TlsCertificates> certificates;
  std::unique_ptr<TcpServer> server;
};

TEST_F(Tls, Rfc7858QueriesArePipelinedAndLargeAnswersComeWhole) {
  Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(address(), "dot", version);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.Alpn(), "dot");
    std::string all;
    for (uint16_t i = 0; i < 300; ++i) all += Framed(Query(i, "www.example."));
    client.Send(all + Framed(Query(999, "big.example.", dns::RRType::kTXT)));
    for (uint16_t i = 0; i < 300; ++i)
      ASSERT_EQ(Summary(client.ReceiveFrame()), std::to_string(i) + " 0 192.0.2.1");
    EXPECT_GT(client.ReceiveFrame().size(), 50000u);
  }
}

TEST_F(Tls, Rfc9325OldVersionsAndOtherProtocolsAreRefused) {
  Start();
  EXPECT_FALSE(TlsClient(address(), "dot", TLS1_1_VERSION).connected());
  EXPECT_FALSE(TlsClient(address(), "http/1.1").connected());
  EXPECT_TRUE(TlsClient(address(), "").connected()) << "a client need not offer any";
  EXPECT_TRUE(Eventually([&] { return Total().tls_failed > 0; }));
}

TEST_F(Tls, AClientThatDoesNotShakeHandsIsClosed) {
  auto options = LoopbackOptions();
  options.tcp_idle = std::chrono::milliseconds(50);
  Start(options);
  Client silent(SOCK_STREAM, address());
  EXPECT_EQ(silent.Receive(), "");
  Client plain(SOCK_STREAM, address());
  plain.Send(Framed(Query(1, "www.example.")));
  while (!plain.Receive().empty()) {
  }
  EXPECT_GE(Total().tls_failed, 1u);
}

TEST_F(Tls, Rfc8467Section41AnswersArePaddedToBlocksForWhoPads) {
  Start();
  TlsClient client(address());
  wire::Message query = wire::MakeQuery(1, *dns::Name::FromText("www.example."), dns::RRType::kA);
  client.Send(Framed(*wire::EncodeMessage(query)));
  EXPECT_LT(client.ReceiveFrame().size(), 100u);
  query.edns->options.push_back({12, std::string(40, '\0')});
  client.Send(Framed(*wire::EncodeMessage(query)));
  EXPECT_EQ(client.ReceiveFrame().size(), 468u);
  query.questions[0] = {*dns::Name::FromText("big.example."), dns::RRType::kTXT, dns::RRClass::kIN};
  client.Send(Framed(*wire::EncodeMessage(query)));
  const std::string big = client.ReceiveFrame();
  EXPECT_GT(big.size(), 50000u);
  EXPECT_EQ(big.size() % 468, 0u);
}

TEST_F(Tls, AChangedCertificateIsTakenForNewConnectionsOnceItIsWhole) {
  Start();
  TlsClient old(address());
  EXPECT_EQ(old.Subject(), "first");
  WriteCertificate(files, "second");
  certificates->Poll();
  EXPECT_EQ(TlsClient(address()).Subject(), "first") << "it may be in the middle of being written";
  certificates->Poll();
  EXPECT_EQ(TlsClient(address()).Subject(), "second");
  EXPECT_EQ(notices.size(), 1u);
  old.Send(Framed(Query(1, "www.example.")));
  EXPECT_EQ(Summary(old.ReceiveFrame()), "1 0 192.0.2.1");
}

TEST_F(Tls, ABadPairIsNotTakenAndSaidOnce) {
  Start();
  const TlsCertificates::Files other{folder + "/other.pem", folder + "/other.key"};
  WriteCertificate(other, "other");
  std::filesystem::copy_file(other.key, files.key, std::filesystem::copy_options::overwrite_existing);
  for (int i = 0; i < 5; ++i) certificates->Poll();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find("stays the old one"), std::string::npos);
  EXPECT_EQ(TlsClient(address()).Subject(), "first");
  std::filesystem::copy_file(other.certificate, files.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  for (int i = 0; i < 5; ++i) certificates->Poll();
  EXPECT_EQ(TlsClient(address()).Subject(), "other");
}

TEST_F(Tls, FilesThatAreNoCertificateAreNamed) {
  for (const auto& bad : {TlsCertificates::Files{folder + "/none", files.key},
                          TlsCertificates::Files{files.certificate, files.certificate}}) {
    const auto loaded = TlsCertificates::Load(bad, [](const std::string&) {});
    ASSERT_FALSE(loaded.ok());
    EXPECT_NE(loaded.status().ToString().find(folder), std::string::npos);
  }
}

}  // namespace
}  // namespace quorate::serve
