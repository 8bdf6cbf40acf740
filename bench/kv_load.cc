// Drives any server of the etcd v3 API: N clients, each with one request under way, spread over the
// endpoints. Prints one JSON line. Bounded in time; loopback only.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "etcd/rpc.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::string> endpoints;
  std::string operation = "put";  // put, get
  int clients = 1;
  double seconds = 3;
  size_t value_bytes = 256;
  int keys = 10000;
};

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "kv_load: " << why << "\n";
  std::exit(1);
}

// One client: at most one request under way; the completion queue's tag is the client.
class Client {
 public:
  Client(int id, const Options& options, std::shared_ptr<grpc::Channel> channel, grpc::CompletionQueue& queue)
      : options_(options),
        stub_(etcdserverpb::KV::NewStub(std::move(channel))),
        queue_(queue),
        next_key_(id * 7919) {}

  void Begin() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    const std::string key = "bench/" + std::to_string(next_key_++ % options_.keys);
    began_ = Clock::now();
    if (options_.operation == "put") {
      etcdserverpb::PutRequest request;
      request.set_key(key);
      request.set_value(std::string(options_.value_bytes, 'x'));
      put_ = stub_->AsyncPut(context_.get(), request, &queue_);
      put_->Finish(&put_response_, &status_, this);
    } else {
      etcdserverpb::RangeRequest request;
      request.set_key(key);
      get_ = stub_->AsyncRange(context_.get(), request, &queue_);
      get_->Finish(&get_response_, &status_, this);
    }
  }

  bool ok() const { return status_.ok(); }
  const grpc::Status& status() const { return status_; }
  uint32_t LatencyUs(Clock::time_point now) const {
    return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(now - began_).count());
  }

 private:
  const Options& options_;
  std::unique_ptr<etcdserverpb::KV::Stub> stub_;
  grpc::CompletionQueue& queue_;
  int next_key_;
  Clock::time_point began_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> put_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::RangeResponse>> get_;
  etcdserverpb::PutResponse put_response_;
  etcdserverpb::RangeResponse get_response_;
  grpc::Status status_;
};

struct Results {
  uint64_t ok = 0, failed = 0;
  std::string first_error;
  std::vector<uint32_t> latencies_us;
  double seconds = 0;
};

std::vector<std::shared_ptr<grpc::Channel>> Connect(const Options& options) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& endpoint : options.endpoints) {
    if (endpoint.rfind("127.", 0) != 0) Die("only loopback addresses are loaded");
    channels.push_back(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()));
    if (!channels.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
      Die("cannot reach " + endpoint);
    }
  }
  return channels;
}

Results Run(const Options& options) {
  const auto channels = Connect(options);
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < options.clients; ++i) {
    clients.push_back(
        std::make_unique<Client>(i, options, channels[static_cast<size_t>(i) % channels.size()], queue));
  }
  Results results;
  const auto start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  for (auto& client : clients) client->Begin();
  int under_way = options.clients;
  void* tag = nullptr;
  bool event_ok = false;
  while (under_way > 0 && queue.Next(&tag, &event_ok)) {
    auto* client = static_cast<Client*>(tag);
    const auto now = Clock::now();
    if (client->ok()) {
      ++results.ok;
      results.latencies_us.push_back(client->LatencyUs(now));
    } else {
      ++results.failed;
      if (results.first_error.empty()) results.first_error = client->status().error_message();
    }
    if (now < end) {
      client->Begin();
    } else {
      --under_way;
    }
  }
  results.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return results;
}

uint32_t Percentile(const std::vector<uint32_t>& sorted, double p) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(p * static_cast<double>(sorted.size())))];
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--endpoints") {
      std::stringstream list(value);
      for (std::string one; std::getline(list, one, ',');) options.endpoints.push_back(one);
    } else if (flag == "--operation") {
      options.operation = value;
    } else if (flag == "--clients") {
      options.clients = std::clamp(std::stoi(value), 1, 4096);
    } else if (flag == "--seconds") {
      options.seconds = std::min(120.0, std::stod(value));
    } else {
      Die("unknown flag " + flag);
    }
  }
  if (options.endpoints.empty()) Die("--endpoints ip:port,... is needed");
  if (options.operation != "put" && options.operation != "get") Die("--operation is put or get");
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Results r = Run(Parse(argc, argv));
  std::sort(r.latencies_us.begin(), r.latencies_us.end());
  if (r.failed > 0) std::cerr << "kv_load: " << r.failed << " failed, first: " << r.first_error << "\n";
  std::cout << "{\"ok\":" << r.ok << ",\"failed\":" << r.failed
            << ",\"ops\":" << static_cast<uint64_t>(static_cast<double>(r.ok) / r.seconds)
            << ",\"p50_us\":" << Percentile(r.latencies_us, 0.5)
            << ",\"p99_us\":" << Percentile(r.latencies_us, 0.99) << "}\n";
}
