"""Nothing is lost and nothing is wasted, whatever happens at whichever effect: crashes, stops, time-outs, lost events, stale reads."""
