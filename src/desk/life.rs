//! The moves that a request may make from status to status, as the regulation's table has them (R22).

use chrono::{DateTime, Utc};

use super::deadline;
use super::policy::Desk;
use super::request::Status;
use super::request::Status::{AwaitingInformation, Closed, InProgress, Resolved, WithDeveloper};

/// What makes a request move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mover {
    /// A specialist, by command or answer.
    Specialist,
    /// The developer's reply (R27).
    Developer,
    /// The requester's reply.
    Requester,
    /// The requester's thanks (R23).
    Thanks,
    /// An approver who declines (R26).
    Approver,
    /// Time.
    Time,
    /// The desk itself: the letter that told of a solution came back (`BEHAVIOURS` G74).
    Undelivered,
}

use Mover::{Approver, Developer, Requester, Specialist, Thanks, Time, Undelivered};

/// The table of R22, row by row: from, to, and what may move it. What is not in it is impossible. How long a closed request may be taken up
/// again, and when time closes one, is said by the deadlines of the desk.
#[rustfmt::skip]
pub const MOVES: &[(Status, Status, &[Mover])] = &[
    (InProgress,          WithDeveloper,       &[Specialist]),
    (InProgress,          AwaitingInformation, &[Specialist]),
    (InProgress,          Resolved,            &[Specialist]),
    (InProgress,          Closed,              &[Specialist, Approver]),
    (WithDeveloper,       InProgress,          &[Specialist, Developer]),
    (WithDeveloper,       AwaitingInformation, &[Specialist]),
    (WithDeveloper,       Resolved,            &[Specialist]),
    (WithDeveloper,       Closed,              &[Specialist, Approver]),
    (AwaitingInformation, InProgress,          &[Requester, Specialist]),
    (AwaitingInformation, WithDeveloper,       &[Specialist]),
    (AwaitingInformation, Resolved,            &[Specialist]),
    (AwaitingInformation, Closed,              &[Specialist, Time, Approver]),
    (Resolved,            InProgress,          &[Requester, Specialist, Undelivered]),
    (Resolved,            WithDeveloper,       &[Specialist]),
    (Resolved,            AwaitingInformation, &[Specialist]),
    (Resolved,            Closed,              &[Time, Thanks, Specialist]),
    (Closed,              InProgress,          &[Requester, Specialist, Undelivered]),
];

/// Whether the move is in the table.
pub fn may(from: Status, to: Status, mover: Mover) -> bool {
    MOVES
        .iter()
        .any(|(a, b, movers)| *a == from && *b == to && movers.contains(&mover))
}

/// Where this mover may take a request from here, in the order of the table.
pub fn ways(from: Status, mover: Mover) -> impl Iterator<Item = Status> {
    MOVES
        .iter()
        .filter(move |(a, _, movers)| *a == from && movers.contains(&mover))
        .map(|(_, to, _)| *to)
}

/// R22, R23: until when a reply takes up a request that was closed at this moment; none if never.
pub fn reopens_until(desk: &Desk, closed: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = desk.deadlines.reopen;
    let day = desk.calendar.day_of(closed);
    (days > 0).then(|| deadline::due(&desk.calendar, day, days))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R22, cell by cell as the regulation prints it; an approver's decline and an undelivered solution are R26 and G74.
    #[test]
    fn the_table_is_the_regulations() {
        let cells = |mover| {
            Status::ALL.map(|from| {
                Status::ALL
                    .map(|to| if may(from, to, mover) { 'x' } else { '.' })
                    .iter()
                    .collect::<String>()
            })
        };
        assert_eq!(
            cells(Specialist),
            [".xxxx", "x.xxx", "xx.xx", "xxx.x", "x...."]
        );
        assert_eq!(
            cells(Requester),
            [".....", ".....", "x....", "x....", "x...."]
        );
        assert_eq!(cells(Thanks), [".....", ".....", ".....", "....x", "....."]);
        assert_eq!(cells(Time), [".....", ".....", "....x", "....x", "....."]);
        assert_eq!(
            cells(Developer),
            [".....", "x....", ".....", ".....", "....."]
        );
        assert_eq!(
            cells(Approver),
            ["....x", "....x", "....x", ".....", "....."]
        );
        assert_eq!(
            cells(Undelivered),
            [".....", ".....", ".....", "x....", "x...."]
        );
    }
}
