#include <algorithm>

#include "graph/graph_kernel.hpp"
#include "graph/program.hpp"
#include "metal/cnn/node.hpp"
#include "metal/kernel.hpp"
#include "metal/shaders/arguments.h"

// The network on a Metal device: an MPSNNGraph where MPS has a node for every kernel, else the kernels one after the other.

// Which input or output of the network an image of a graph is.
@interface MPSKHandle : NSObject <MPSHandle> {
 @private
  NSUInteger _index;
  mpskit::metal::retained<NSString*> _label;
}
@property(nonatomic, readonly) NSUInteger index;
- (instancetype)initWithIndex:(NSUInteger)index label:(NSString*)label;
@end

@implementation MPSKHandle
@synthesize index = _index;
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (instancetype)initWithIndex:(NSUInteger)index label:(NSString*)label {
  if ((self = [super init])) {
    _index = index;
    _label = mpskit::metal::hold(label);
  }
  return self;
}
- (NSString*)label {
  return _label.get();
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [self initWithIndex:0 label:@""];
}
@end

// Lends a result's own images to the graph, in order.
@interface MPSKResultAllocator : NSObject <MPSImageAllocator> {
 @private
  mpskit::metal::retained<NSArray<MPSImage*>*> _images;
  NSUInteger _next;
}
- (void)lend:(NSArray<MPSImage*>*)images;
@end

@implementation MPSKResultAllocator
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (void)lend:(NSArray<MPSImage*>*)images {
  _images = mpskit::metal::hold(images);
  _next = 0;
}
- (MPSImage*)imageForCommandBuffer:(id<MTLCommandBuffer>)commandBuffer imageDescriptor:(MPSImageDescriptor*)d kernel:(MPSKernel*)kernel {
  MPSImage* own = _next < _images.get().count ? [_images.get() objectAtIndex:_next] : nil;
  ++_next;
  const bool fits = own.width == d.width && own.height == d.height && own.featureChannels == d.featureChannels && own.numberOfImages == d.numberOfImages &&
                    own.featureChannelFormat == d.channelFormat;
  if (fits) return own;
  // A concatenation's channels, rounded up: what counts is copied behind it.
  return [[MPSImage defaultAllocator] imageForCommandBuffer:commandBuffer imageDescriptor:d kernel:kernel];
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [super init];
}
@end

namespace mpskit::graph {
namespace {

using namespace mpskit::metal;

// ---- nodes of MPS
class NetworkPlan final : public MetalPlan {
 public:
  // Null when MPS lacks a node.
  static std::unique_ptr<NetworkPlan> make(const Network& n, const Layouts& layouts, const Context& context) {
    auto plan = std::unique_ptr<NetworkPlan>(new NetworkPlan);
    return plan->build(n, layouts, context) ? std::move(plan) : nullptr;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    std::int64_t step = Encoder::images_at_once(o[0].layout);
    for (const Operand& operand : o) step = std::min(step, Encoder::images_at_once(operand.layout));
    for (std::int64_t first = 0; first < o[0].layout.images(); first += step) {
      const Images some{first, std::min(step, o[0].layout.images() - first)};
      auto sources = adopt([[NSMutableArray alloc] init]);
      auto others = adopt([[NSMutableArray alloc] init]);
      auto targets = adopt([[NSMutableArray alloc] init]);
      for (const std::size_t input : inputs_) [sources.get() addObject:e.batch(o[input], some)];
      for (std::size_t r = 0; r < allocators_.size(); ++r) {
        MPSImageBatch* target = e.batch(o[o.size() - allocators_.size() + r], some, &everything_);
        [targets.get() addObject:target];
        [allocators_[r].get() lend:target];
      }
      MPSImageBatch* result = [graph_.get() encodeBatchToCommandBuffer:e.commands()
                                                          sourceImages:sources.get()
                                                          sourceStates:nil
                                                    intermediateImages:others.get()
                                                     destinationStates:nil];
      if (!result || others.get().count != others_.size()) throw DeviceError(cat("Graph: ", e.context().info().name, " encoded no result."));
      deliver(e, result, [targets.get() objectAtIndex:0]);
      for (NSUInteger i = 0; i < others.get().count; ++i) deliver(e, [others.get() objectAtIndex:i], [targets.get() objectAtIndex:others_[i]]);
      e.finish();
    }
  }

 private:
  static bool can_concatenate(const Network& n, const Node& node, const Layouts& layouts) {
    // MPS gives every source whole slices of four channels: that of the last one shows when somebody counts channels.
    for (std::size_t s = 0; s + 1 < node.sources.size(); ++s)
      if (layouts[node.sources[s]].channels() % 4 != 0) return false;
    const auto reads = [&](const Node& other) { return std::ranges::find(other.sources, node.result) != other.sources.end(); };
    return layouts[node.result].channels() % 4 == 0 || std::ranges::none_of(n.nodes, reads);
  }

  bool build(const Network& n, const Layouts& layouts, const Context& context) {
    std::vector<retained<MPSNNImageNode*>> images(n.images.size());
    std::vector<GraphNode> nodes;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      auto handle = handle_of(n, i, n.inputs[i]);
      images[n.inputs[i]] = hold([MPSNNImageNode nodeWithHandle:handle.get()]);
      images[n.inputs[i]].get().format = channel_format(layouts[n.inputs[i]].dtype);
    }
    for (const Node& node : n.nodes) {
      NSMutableArray<MPSNNImageNode*>* sources = [NSMutableArray array];
      Layouts read;
      for (const Index s : node.sources) {
        [sources addObject:images[s].get()];
        read.push_back(layouts[s]);
      }
      GraphNode made;
      if (!node.kernel) {
        if (can_concatenate(n, node, layouts)) made.filter = hold<MPSNNFilterNode*>([MPSNNConcatenationNode nodeWithSources:sources]);
      } else if (const Registration* r = registration_of(*node.kernel); r && r->node) {
        made = r->node(*node.kernel, Call{*node.kernel, read, {&layouts[node.result], 1}}, sources);
      }
      if (!made.filter) return false;
      made.filter.get().label = to_ns(node.label);
      images[node.result] = hold(made.filter.get().resultImage);
      images[node.result].get().format = channel_format(layouts[node.result].dtype);
      nodes.push_back(std::move(made));
    }
    NSMutableArray<MPSNNImageNode*>* results = [NSMutableArray array];
    for (std::size_t r = 0; r < n.outputs.size(); ++r) {
      MPSNNImageNode* image = images[n.outputs[r]].get();
      image.handle = handle_of(n, r, n.outputs[r]).get();
      allocators_.push_back(adopt([[MPSKResultAllocator alloc] init]));
      image.imageAllocator = allocators_.back().get();
      [results addObject:image];
    }
    const auto needed = std::make_unique<BOOL[]>(n.outputs.size());  // of std::vector there is none where BOOL is bool
    std::fill_n(needed.get(), n.outputs.size(), YES);
    graph_ = adopt([[MPSNNGraph alloc] initWithDevice:context.device() resultImages:results resultsAreNeeded:needed.get()]);
    for (const GraphNode& node : nodes)
      if (node.weights) node.weights->rethrow();
    if (!graph_) throw DeviceError(cat("Graph: ", context.info().name, " made no MPSNNGraph; it may be out of memory. Free arrays, or pass device=\"cpu\"."));
    graph_.get().format = channel_format(n.format);
    graph_.get().destinationImageAllocator = allocators_[0].get();
    for (id<MPSHandle> handle in graph_.get().sourceImageHandles) inputs_.push_back(index_of(handle));
    for (id<MPSHandle> handle in graph_.get().intermediateImageHandles) others_.push_back(index_of(handle));
    return true;
  }

  static retained<MPSKHandle*> handle_of(const Network& n, std::size_t index, Index image) {
    return adopt([[MPSKHandle alloc] initWithIndex:index label:to_ns(n.images[image].name)]);
  }
  static std::size_t index_of(id<MPSHandle> handle) { return static_cast<MPSKHandle*>(handle).index; }

  // What the graph allocated itself is copied to where the caller wants it.
  static void deliver(Encoder& e, MPSImageBatch* results, MPSImageBatch* targets) {
    for (NSUInteger i = 0; i < results.count; ++i) {
      MPSImage *from = [results objectAtIndex:i], *to = [targets objectAtIndex:i];
      if (from != to) e.copy(from, to);
    }
  }

  retained<MPSNNGraph*> graph_;
  std::vector<retained<MPSKResultAllocator*>> allocators_;  // one a result
  std::vector<std::size_t> inputs_, others_;                // in the graph's order: which input; which result, behind the first
  static constexpr Written everything_{};
};

// ---- kernels one after the other
class ChainPlan final : public MetalPlan {
 public:
  ChainPlan(const Network& n, const Call& call, const Context& context) {
    Program program = compile(n, call.inputs, call.outputs);
    std::vector<bool> is_copied_to(program.places.size());
    for (const Step& s : program.steps)
      if (!s.kernel) is_copied_to[s.result] = true;
    for (std::size_t p = 0; p < program.places.size(); ++p) {
      const Place& place = program.places[p];
      Operand& operand = operands_.emplace_back();
      operand.layout = place.layout;
      outer_.push_back(place.operand);
      if (place.operand) {
        if (is_copied_to[p]) assembled_.push_back(*place.operand);
        continue;
      }
      if (place.life.bytes == 0) continue;
      // Copies begin at any channel: in bytes that is possible, in a texture's slices it is not.
      const Layout kept = is_copied_to[p] ? Layout::vector(DType::u8, place.layout.span_bytes()) : place.layout;
      operand.temporary = std::make_shared<const Temporary>(Temporary{0, submission_.temporaries.size(), kept});
      submission_.temporaries.push_back(operand.temporary);
    }
    for (const Step& s : program.steps) {
      Work& work = submission_.works.emplace_back();
      steps_.push_back(s);
      Layouts read;
      for (const std::size_t p : s.sources) {
        work.operands.push_back(operands_[p]);
        read.push_back(operands_[p].layout);
      }
      work.operands.push_back(operands_[s.result]);
      if (s.kernel) work.plan = make_plan(context, Call{*s.kernel, read, {&operands_[s.result].layout, 1}});
    }
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    Encoder inner(e, submission_);
    std::vector<Operand> outer(o.begin(), o.end()), operands;
    for (const std::size_t i : assembled_)
      if (o[i].temporary) outer[i] = {o[i].layout, Storage::allocate(static_cast<std::size_t>(o[i].layout.span_bytes()), false), 0, nullptr};
    for (std::size_t w = 0; w < steps_.size(); ++w) {
      operands = submission_.works[w].operands;
      for (std::size_t i = 0; i < operands.size(); ++i)
        if (const auto& given = outer_[i < steps_[w].sources.size() ? steps_[w].sources[i] : steps_[w].result]) operands[i] = outer[*given];
      if (steps_[w].kernel) {
        auto& plan = static_cast<MetalPlan&>(*submission_.works[w].plan);
        plan.encode(inner, operands);
      } else {
        inner.copy_channels(operands[0], operands[1], steps_[w].channel);
      }
      inner.finish_work(w);
    }
    for (const std::size_t i : assembled_) {
      if (!o[i].temporary) continue;
      inner.each_batch(outer[i], 0, o[i], 0, o[i].layout.images(), {}, [&](MPSImageBatch* sources, MPSImageBatch* targets) {
        for (NSUInteger n = 0; n < sources.count; ++n) inner.copy([sources objectAtIndex:n], [targets objectAtIndex:n]);
      });
    }
  }

 private:
  Submission submission_;  // works and temporaries of the network itself
  std::vector<Step> steps_;
  std::vector<Operand> operands_;                  // by place
  std::vector<std::optional<std::size_t>> outer_;  // the caller's operand, by place
  std::vector<std::size_t> assembled_;             // operands that copies write to
};

std::unique_ptr<MetalPlan> make(const Kernel& kernel, const Call& call, const Context& context) {
  const Network& n = static_cast<const GraphKernel&>(kernel).network();
  Layouts layouts = infer(n, call.inputs);
  require_fit(n, layouts, call.outputs);
  for (std::size_t i = 0; i < call.outputs.size(); ++i) layouts[n.outputs[i]] = call.outputs[i];
  if (auto plan = NetworkPlan::make(n, layouts, context)) return plan;
  return std::make_unique<ChainPlan>(n, call, context);
}

std::optional<std::string> refuses(const Kernel& kernel, const Call& call, const Context& context) {
  const Network& n = static_cast<const GraphKernel&>(kernel).network();
  const Layouts layouts = infer(n, call.inputs);
  for (const Node& node : n.nodes) {
    if (!node.kernel) continue;
    Layouts read;
    for (const Index s : node.sources) read.push_back(layouts[s]);
    if (auto reason = metal::refuses(context, Call{*node.kernel, read, {&layouts[node.result], 1}})) return cat("node ", describe(node), ": ", *reason);
  }
  return std::nullopt;
}

[[maybe_unused]] const bool registered = (register_kernel(GraphKernel::shared_type(), {&make, &refuses, nullptr}), true);

}  // namespace
}  // namespace mpskit::graph
