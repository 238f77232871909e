import CLinux
import Glibc
import PipelineDSL

/// What the child reported, as words.
struct SandboxFailure {
  var plan: MountPlan
  var request: RunRequest
  var lookup: ProgramLookup

  /// The diagnostic for a stage that failed; `root` is what the command would have seen.
  func diagnostic(_ report: clinux_report, root: CInt) -> Diagnostic {
    let stage = clinux_stage(UInt32(bitPattern: report.stage))
    let index = Int(report.index)
    let label = plan.entries.indices.contains(index) ? plan.entries[index].label : ""
    switch stage {
    case CLINUX_STAGE_EXECUTE: return lookup.failure(code: report.code, in: root)
    case CLINUX_STAGE_DIRECTORY: return directory(report.code)
    case CLINUX_STAGE_MOUNT_FORBIDDEN:
      return Diagnostic(
        "nothing may be mounted at '\(label)': it lies in /proc",
        help: "choose a target outside of /proc")
    case CLINUX_STAGE_MOUNT_TARGET:
      return error("find mount point", label, report.code)
    case CLINUX_STAGE_MOUNT_SOURCE:
      return error("find what is to be mounted at", label, report.code)
    case CLINUX_STAGE_MOUNT: return error("mount", label, report.code)
    case CLINUX_STAGE_IDENTITY:
      return error("become user", request.user, report.code)
    case CLINUX_STAGE_NAMESPACE:
      return error("make a user namespace for user", request.user, report.code)
    case CLINUX_STAGE_FILTER: return error("seccomp", "", report.code)
    case CLINUX_STAGE_CAPABILITIES: return error("capset", "", report.code)
    case CLINUX_STAGE_GROUP: return error("enter cgroup", "", report.code)
    case CLINUX_STAGE_PIVOT: return error("pivot_root", "", report.code)
    case CLINUX_STAGE_HOSTNAME: return error("sethostname", "", report.code)
    case CLINUX_STAGE_LOOPBACK: return error("bring up lo", "", report.code)
    case CLINUX_STAGE_TERMINAL: return error("set the terminal", "", report.code)
    case CLINUX_STAGE_PRIVATE: return error("make mounts private", "", report.code)
    case CLINUX_STAGE_ROOT: return error("attach the root", "", report.code)
    case CLINUX_STAGE_STREAMS: return error("connect streams", "", report.code)
    default: return error("clone", "", report.code)
    }
  }

  private func directory(_ code: CInt) -> Diagnostic {
    let path = String(decoding: request.workingDirectory, as: UTF8.self)
    switch code {
    case ELOOP, EXDEV:
      return Diagnostic(
        "the working directory '\(path)' leads out of the image",
        help: "use a WORKDIR that is a directory of the image")
    case ENOTDIR:
      return Diagnostic("the working directory '\(path)' is not a directory")
    default: return error("chdir", path, code)
    }
  }

  private func error(_ call: String, _ path: String, _ code: CInt) -> Diagnostic {
    SystemError(call, path: Array(path.utf8), code: code).diagnostic(
      "the sandbox cannot be set up")
  }
}
