/// Being written.
public enum WheelTemplate {}
