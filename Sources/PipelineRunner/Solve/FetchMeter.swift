import PipelineDSL
import Synchronization

/// Adds up what arrives of each base image, for the progress.
final class FetchMeter: Sendable {
  private struct Amount {
    var start = ContinuousClock.now
    var done: Int64 = 0
    var size: Int64 = 0
    /// Layers under way.
    var layers = 0
  }

  private let amounts = Mutex<[OperationID: Amount]>([:])
  private let progress: any ProgressRenderer

  init(_ progress: any ProgressRenderer) { self.progress = progress }

  /// A layer of so many bytes begins to arrive.
  func begin(_ size: Int64, of image: OperationID) {
    amounts.withLock { amounts in
      amounts[image, default: Amount()].size += size
      amounts[image]?.layers += 1
    }
  }

  func add(_ bytes: Int, to image: OperationID) {
    let amount = amounts.withLock { amounts in
      amounts[image]?.done += Int64(bytes)
      return amounts[image]
    }
    guard let amount else { return }
    progress.handle(.fetching(image, bytes: amount.done, of: amount.size))
  }

  /// A layer ended; the last one ends the image, which is told where everything went well.
  func end(_ image: OperationID, isDone: Bool) {
    let ended = amounts.withLock { amounts -> Amount? in
      amounts[image]?.layers -= 1
      guard amounts[image]?.layers == 0 else { return nil }
      return amounts.removeValue(forKey: image)
    }
    guard let ended, isDone else { return }
    let seconds = (ContinuousClock.now - ended.start).seconds
    progress.handle(.fetched(image, bytes: ended.done, seconds: seconds))
  }
}
