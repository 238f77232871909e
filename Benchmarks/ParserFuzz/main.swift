// Feeds mutated Dockerfiles to the parser, the printer and the converter.
//
//   swift run -c release ParserFuzz [--seed N] [--first N] [--count N]
//   swift run -c release ParserFuzz --scaling
//
// Input number n of a seed is always the same, so a failure is repeated with --first n --count 1.

import Foundation
import PipelineDSL

var seed: UInt64 = 1
var first = 0
var count = 100_000
var arguments = ArraySlice(Swift.CommandLine.arguments.dropFirst())
var measuresScaling = false
while let argument = arguments.popFirst() {
  switch argument {
  case "--seed": seed = arguments.popFirst().flatMap { UInt64($0) } ?? seed
  case "--first": first = arguments.popFirst().flatMap { Int($0) } ?? first
  case "--count": count = arguments.popFirst().flatMap { Int($0) } ?? count
  case "--scaling": measuresScaling = true
  default:
    print("unknown argument '\(argument)'")
    exit(64)
  }
}

if measuresScaling {
  exit(Scaling.measure() ? 0 : 1)
}
let corpus = try Corpus.read()
var check = Check()
let start = ContinuousClock.now
for number in first..<first + count {
  var mutator = Mutator(seed: seed, number: number, corpus: corpus)
  if let failure = check.failure(of: mutator.input()) {
    print("input \(number) of seed \(seed): \(failure)")
    exit(1)
  }
}
let elapsed = start.duration(to: .now)
print(
  "\(count) inputs of seed \(seed): \(check.accepted) are Dockerfiles, \(check.printed) were "
    + "printed and read again, the slowest took \(check.slowest); \(elapsed) in all")
