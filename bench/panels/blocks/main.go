// Writes series as blocks of Prometheus: promtool would take hours for so many samples as text.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Times are in seconds since 1970.
type series struct {
	Labels map[string]string
	// Samples from From (inclusive) to To (exclusive), Every seconds, and every Span.Every seconds within a span.
	From, To, Every int64
	Spans           bool
	// Instead: every minute for the first six, then for the first three minutes of every six hours.
	Kept bool
	// The value grows from 0 to Value between GrowFrom and GrowTo, in whole numbers; it is Value if these are equal.
	GrowFrom, GrowTo int64
	Value            float64

	labels labels.Labels
}

type task struct {
	Out      string
	From, To int64
	Block    int64
	Spans    []struct{ From, To, Every int64 }
}

func (s *series) at(t int64) float64 {
	switch {
	case s.GrowFrom == s.GrowTo || t >= s.GrowTo:
		return s.Value
	case t <= s.GrowFrom:
		return 0
	}
	return float64(int64(s.Value * float64(t-s.GrowFrom) / float64(s.GrowTo-s.GrowFrom)))
}

// The time of the sample after t.
func (s *series) next(task *task, t int64) int64 {
	if s.Kept {
		minute := t - t%60 + 60
		if sinceSix := minute % (6 * 3600); minute > s.From+360 && sinceSix >= 180 {
			return minute - sinceSix + 6*3600
		}
		return minute
	}
	next := t - t%s.Every + s.Every
	if !s.Spans {
		return next
	}
	for _, span := range task.Spans {
		if t+span.Every >= span.From && t+span.Every <= span.To {
			return min(next, max(span.From, t-t%span.Every+span.Every))
		}
		if t < span.From && span.From < next {
			next = span.From
		}
	}
	return next
}

func write(task *task, all []*series) error {
	written := 0
	for from := task.From; from < task.To; from += task.Block {
		// It refuses samples that are half of this older than the newest, and series come one after another.
		accepts := 4 * task.Block * 1000
		writer, err := tsdb.NewBlockWriter(slog.New(slog.NewTextHandler(io.Discard, nil)), task.Out, accepts)
		if err != nil {
			return err
		}
		var appender storage.Appender
		inBatch, samples := 0, 0
		for _, s := range all {
			end := min(from+task.Block, s.To, task.To)
			ref := storage.SeriesRef(0)
			for t := s.next(task, max(from, s.From)-1); t < end; t = s.next(task, t) {
				if appender == nil {
					appender = writer.Appender(context.Background())
				}
				if ref, err = appender.Append(ref, s.labels, t*1000, s.at(t)); err != nil {
					return fmt.Errorf("%v at %d: %w", s.labels, t, err)
				}
				inBatch++
				samples++
			}
			if inBatch > 100_000 {
				if err := appender.Commit(); err != nil {
					return err
				}
				appender, inBatch = nil, 0
			}
		}
		if appender != nil {
			if err := appender.Commit(); err != nil {
				return err
			}
		}
		if samples > 0 {
			if _, err := writer.Flush(context.Background()); err != nil {
				return err
			}
		}
		if err := writer.Close(); err != nil {
			return err
		}
		written += samples
	}
	fmt.Println(written)
	return nil
}

// The first line of standard input is the task, each other one a series. Prints the number of samples.
func run() error {
	input := json.NewDecoder(bufio.NewReaderSize(os.Stdin, 1<<20))
	var todo task
	if err := input.Decode(&todo); err != nil {
		return err
	}
	var all []*series
	for input.More() {
		s := new(series)
		if err := input.Decode(s); err != nil {
			return err
		}
		s.labels = labels.FromMap(s.Labels)
		all = append(all, s)
	}
	return write(&todo, all)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
